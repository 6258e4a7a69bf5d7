import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { startClusteredModel } from '../clustered-model.ts';
import { openBenchDatabase } from '../database.ts';
import { describeMachine, postgresVersions } from '../machine.ts';
import { measureSizes } from './measure.ts';
import { AHEAD_SIZES, DEPLOYMENT, tablesOfReport } from './pages.ts';
import type { CostsReport, Sweep } from './report.ts';
import { measureDimensions } from './sweep.ts';
import { consoleTable } from './text.ts';

// npm run costs -- [--sizes 2000,8000,32000] [--dimensions 384] [--sweep 128,384,768,1536] [--parts 4000] [--out FILE]
//   and the terms of others: [--tokens-per-minute N] [--usd-per-million-tokens N] [--usd-per-million-actions N]
//   [--server-memory-gb N] [--index-memory-mb N] [--disk-tb N] [--ahead 1000000,100000000,1000000000]
const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '2000,8000,32000' },
    dimensions: { type: 'string', default: '384' },
    sweep: { type: 'string', default: '128,384,768,1536' },
    parts: { type: 'string', default: '4000' },
    ahead: { type: 'string', default: AHEAD_SIZES.join() },
    out: { type: 'string' },
    'tokens-per-minute': { type: 'string', default: String(DEPLOYMENT.tokensPerMinute) },
    'usd-per-million-tokens': { type: 'string', default: String(DEPLOYMENT.usdPerMillionTokens) },
    'usd-per-million-actions': { type: 'string', default: String(DEPLOYMENT.usdPerMillionActions) },
    'server-memory-gb': { type: 'string', default: String(DEPLOYMENT.serverMemoryGb) },
    'index-memory-mb': { type: 'string', default: String(DEPLOYMENT.indexMemoryMb) },
    'disk-tb': { type: 'string', default: String(DEPLOYMENT.diskTb) },
  },
});

// Only the tables go to stdout.
const say = (line: string) => process.stderr.write(`${line}\n`);

function numberOf(name: Exclude<keyof typeof values, 'out'>): number {
  return numbersOf(name)[0] as number;
}

function numbersOf(name: Exclude<keyof typeof values, 'out'>): number[] {
  const numbers = values[name].split(',').map(Number);
  if (numbers.every((number) => number > 0)) return numbers;
  throw new Error(`--${name}: expected numbers above 0, got ${values[name]}`);
}

async function measureAll(dimensions: number): Promise<CostsReport> {
  const before = loadavg()[0] ?? 0;
  const database = await openBenchDatabase({ connections: 64, say });
  const model = await startClusteredModel(dimensions, 0);
  try {
    const measured = await measureSizes({ database, modelUrl: model.url, dimensions, say }, numbersOf('sizes'));
    const sweep: Sweep[] = [];
    for (const some of numbersOf('sweep')) {
      say(`${some} dimensions`);
      sweep.push(await measureDimensions(database, some, numberOf('parts')));
    }
    const machine = describeMachine(await postgresVersions(database.url));
    const load = { before, after: loadavg()[0] ?? 0 };
    return { time: new Date().toISOString(), machine, load, dimensions, measured, sweep };
  } finally {
    model.stop();
    await database.close();
  }
}

const deployment = {
  tokensPerMinute: numberOf('tokens-per-minute'),
  usdPerMillionTokens: numberOf('usd-per-million-tokens'),
  usdPerMillionActions: numberOf('usd-per-million-actions'),
  serverMemoryGb: numberOf('server-memory-gb'),
  indexMemoryMb: numberOf('index-memory-mb'),
  diskTb: numberOf('disk-tb'),
};
const report = await measureAll(numberOf('dimensions'));
if (values.out) writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`);
for (const [title, table] of Object.entries(tablesOfReport(report, { deployment, ahead: numbersOf('ahead') }))) {
  console.log(`${title}\n${consoleTable(table)}\n`);
}
