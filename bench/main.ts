import { parseArgs } from 'node:util';
import type { BenchContext, Benchmark } from './harness.ts';
import { describeMachine } from './machine.ts';
import { formatReport, type Report } from './report.ts';

// npm run bench -- NAME [--runs N] [--json] [options of the benchmark]
const BENCHMARKS: Record<string, () => Promise<Benchmark>> = {
  gate: async () => (await import('./gate.ts')).gate,
  reindex: async () => (await import('./reindex.ts')).reindex,
  lists: async () => (await import('./lists.ts')).lists,
  bulk: async () => (await import('./bulk.ts')).bulk,
  stream: async () => (await import('./stream.ts')).stream,
  live: async () => (await import('./live.ts')).live,
  evaluation: async () => (await import('./evaluation.ts')).evaluation,
  reads: async () => (await import('./reads.ts')).reads,
  filters: async () => (await import('./filters.ts')).filters,
  hybrid: async () => (await import('./hybrid.ts')).hybrid,
  compact: async () => (await import('./compact.ts')).compact,
  upsert: async () => (await import('./upsert.ts')).upsert,
  embedded: async () => (await import('./reindex.ts')).embedded,
  plan: async () => (await import('./plan.ts')).plan,
  'source-trigger': async () => (await import('./source-trigger.ts')).sourceTrigger,
  whole: async () => (await import('./whole.ts')).whole,
  kill: async () => (await import('./kill.ts')).kill,
  sources: async () => (await import('./sources.ts')).sources,
  pgai: async () => (await import('./pgai.ts')).pgai,
  scale: async () => (await import('./scale.ts')).scale,
};

const COMMON = {
  runs: { type: 'string', default: '5' },
  json: { type: 'boolean', default: false },
} as const;

/** Thrown if the arguments do not match the help. */
class UsageError extends Error {}

async function main([name = '', ...args]: string[]): Promise<void> {
  const load = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
  if (!load) throw new UsageError(await usage());
  const benchmark = await load();
  const { runs, json, ...options } = parse(args, benchmark);
  // Only the report goes to stdout.
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const time = new Date().toISOString();
  const { comparisons, versions } = await benchmark.run({ runs, options, say });
  const report: Report = { benchmark: name, time, machine: describeMachine(versions), comparisons };
  console.log(json ? JSON.stringify(report) : formatReport(report));
}

function parse(args: string[], { options }: Benchmark) {
  try {
    const { values } = parseArgs({ args, options: { ...options, ...COMMON } });
    const { runs: given, ...others } = values as { runs: string; json: boolean } & BenchContext['options'];
    const runs = Number(given);
    if (Number.isInteger(runs) && runs > 0) return { ...others, runs };
    throw new Error(`--runs: expected a whole number from 1, got ${given}`);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function usage(): Promise<string> {
  const lines = await Promise.all(
    Object.entries(BENCHMARKS).map(async ([name, load]) => {
      const { about, options = {} } = await load();
      const own = Object.entries(options).map(([option, { type, default: usual }]) =>
        type === 'boolean' ? `--${option}` : `--${option} ${usual ?? 'X'}`,
      );
      return `  ${[name, ...own].join(' ')}\n      ${about}`;
    }),
  );
  return ['npm run bench -- NAME [--runs 5] [--json] [options]', '', ...lines].join('\n');
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const isOurs = error instanceof UsageError || !(error instanceof Error);
  process.stderr.write(`${isOurs ? String(error).replace(/^Error: /, '') : error.stack}\n`);
  process.exitCode = 1;
}
