import { randomUUID } from 'node:crypto';
import { createClient } from '../src/client/client.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, compare, type Figures, type Metric } from './harness.ts';
import { postgresVersions, temporalVersion } from './machine.ts';
import { startModelServer } from './model-server.ts';
import { textOf } from './objects.ts';
import { startProcesses } from './processes.ts';

const DIMENSIONS = 384;
const METRICS = [
  { name: 'API, most memory', unit: 'MiB', better: 'lower' },
  { name: 'worker, most memory', unit: 'MiB', better: 'lower' },
  { name: 'accepted', unit: 'lines/s', better: 'higher' },
  { name: 'written', unit: 'lines/s', better: 'higher' },
] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

export const stream: Benchmark = {
  about: 'the memory of the API and of a worker during an NDJSON upsert, against one of a tenth of its lines',
  options: { lines: { type: 'string', default: '1000000' } },
  async run({ runs, options, say }) {
    const lines = Number(options.lines);
    const { url, close } = await openBenchDatabase({ connections: 64, say });
    const model = await startModelServer(DIMENSIONS, 0);
    let versions = await postgresVersions(url);
    const contender = (count: number) => ({
      name: `${count} lines`,
      async run(): Promise<Figures<Name>> {
        // New processes, so that none has memory of an earlier run; an HNSW index would take longer than everything
        // else.
        const commands = { api: ['api'], worker: ['worker'] };
        const system = await startProcesses(commands, url, { REEMBED_VECTOR_INDEX_AFTER_PARTS: '100000000' }, say);
        try {
          versions = { ...versions, ...(await temporalVersion(system.temporalAddress)) };
          return await measure(system, model.url, count);
        } finally {
          await system.stop();
        }
      },
    });
    try {
      const plan = {
        title: `an upsert of ${lines} lines`,
        metrics: METRICS,
        candidate: contender(lines),
        baseline: contender(lines / 10),
      };
      return { comparisons: [await compare(plan, { runs, say, warmUp: false })], versions };
    } finally {
      model.stop();
      await close();
    }
  },
};

async function measure(
  system: { url: string; peaks(): { api: number; worker: number } },
  modelUrl: string,
  lines: number,
): Promise<Figures<Name>> {
  const reembed = createClient({ baseUrl: system.url });
  const index = `bench-${randomUUID()}`;
  await reembed.indexes.create(index, {
    model: { provider: 'openai', name: 'bench', dimensions: DIMENSIONS, baseUrl: modelUrl },
  });
  const startMs = performance.now();
  const { id } = await reembed.tasks.upsertStream(index, objects(lines));
  const acceptedMs = performance.now();
  for await (const tracker of reembed.tasks.events(id)) {
    if (tracker.status !== 'done') continue;
    if (tracker.data.written !== lines) throw new Error(`${tracker.data.written} lines are written, not ${lines}`);
  }
  const doneMs = performance.now();
  const { objects: there } = await reembed.indexes.get(index);
  if (there !== lines) throw new Error(`the index has ${there} objects, not ${lines}`);
  await reembed.tasks.deleteIndex({ index }, { wait: true });
  const { api, worker } = system.peaks();
  return {
    'API, most memory': api,
    'worker, most memory': worker,
    accepted: lines / ((acceptedMs - startMs) / 1_000),
    written: lines / ((doneMs - acceptedMs) / 1_000),
  };
}

function* objects(count: number): Generator<{ id: string; payload: string }> {
  for (let at = 0; at < count; at++) {
    const id = `object-${String(at).padStart(9, '0')}`;
    yield { id, payload: textOf(id) };
  }
}
