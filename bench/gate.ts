import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { quantile } from 'simple-statistics';
import { indexConfigSchema } from '../src/contract/indexes.ts';
import { type Db, type Trx, transaction } from '../src/store/database.ts';
import { ensureIndex, resolveIndex } from '../src/store/indexes.ts';
import { applyWrites } from '../src/store/protocol/apply.ts';
import { holdGateShared, holdGatesExclusive } from '../src/store/protocol/gate.ts';
import { lockOnDest, lockOnSource } from '../src/store/protocol/locks.ts';
import type { ObjectWrite } from '../src/store/protocol/object-write.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, type Contender, compare, type Metric } from './harness.ts';
import { postgresVersions } from './machine.ts';

/** How writers and those who change the index exclude each other. */
interface Gate {
  name: string;
  hold(trx: Trx, indexNo: number): Promise<unknown>;
  close(trx: Trx, indexNo: number): Promise<unknown>;
}

const ADVISORY: Gate = { name: 'advisory lock', hold: holdGateShared, close: holdGatesExclusive };

/** The weakest row locks that exclude each other: they cost writers the least. */
const ROW: Gate = {
  name: 'row lock',
  hold: (trx, indexNo) => sql`select from reembed.indexes where no = ${indexNo} for key share`.execute(trx),
  close: (trx, indexNo) => sql`select from reembed.indexes where no = ${indexNo} for update`.execute(trx),
};

const METRICS = [
  { name: 'writes', unit: '1/s', better: 'higher' },
  { name: 'write p99', unit: 'ms', better: 'lower' },
  { name: 'writes while someone wants in', unit: '1/s', better: 'higher' },
  { name: 'wait to get in, p50', unit: 'ms', better: 'lower' },
  { name: 'wait to get in, longest', unit: 'ms', better: 'lower' },
  { name: 'got in before writers stopped', unit: '% of tries', better: 'higher' },
] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

const TAKER_PAUSE_MS = 100;
const DIMENSIONS = 256;

const config = indexConfigSchema.parse({ model: { provider: 'hash', dimensions: DIMENSIONS } });
const embedding = Array.from({ length: DIMENSIONS }, (_, at) => Math.sin(at));

export const gate: Benchmark = {
  about: 'the gate of an index as an advisory lock against a row lock: writes per second, and the wait of a cut-over',
  options: { writers: { type: 'string', default: '16' }, seconds: { type: 'string', default: '5' } },
  async run({ runs, options, say }) {
    const writers = Number(options.writers);
    const seconds = Number(options.seconds);
    const { db, url, close } = await openBenchDatabase({ connections: writers + 1, say });
    try {
      const contender = (of: Gate): Contender<Name> => ({
        name: of.name,
        run: () => measure(db, of, { writers, forMs: seconds * 1_000 }),
      });
      const plan = {
        title: `${writers} writers of one object each`,
        metrics: METRICS,
        candidate: contender(ADVISORY),
        baseline: contender(ROW),
      };
      return { comparisons: [await compare(plan, { runs, say })], versions: await postgresVersions(url) };
    } finally {
      await close();
    }
  },
};

/** Measures writers alone, and then as many writers while one process repeatedly takes the gate exclusively. */
async function measure(
  db: Db,
  of: Gate,
  { writers, forMs }: { writers: number; forMs: number },
): Promise<Record<Name, number>> {
  const name = `gate-${Date.now()}`;
  const { index } = await transaction(db, (trx) => ensureIndex(trx, name, config));
  let serial = 0;
  const object = (): ObjectWrite => ({
    ...{ kind: 'content', id: `object-${++serial}`, version: serial, payload: 'a text', metadata: {} },
    ...{ originalId: null, uri: null, hash: String(serial) },
    parts: [{ part: 0, start: null, end: null, isAverage: false, embedding }],
  });

  const write = () =>
    transaction(db, async (trx) => {
      await of.hold(trx, index.no);
      // From here on as in `writeLive`.
      await resolveIndex(trx, name);
      await lockOnSource(trx, index.no);
      await lockOnDest(trx, index.no);
      await applyWrites(trx, index, [object()]);
    });
  const takenMs: number[] = [];
  const writeFor = async () => {
    takenMs.length = 0;
    const endMs = Date.now() + forMs;
    const writer = async () => {
      while (Date.now() < endMs) takenMs.push((await timed(write)).ms);
    };
    const { ms } = await timed(() => Promise.all(Array.from({ length: writers }, writer)));
    return takenMs.length / (ms / 1_000);
  };

  const alone = await writeFor();
  const p99 = quantile(takenMs, 0.99);
  const waits: Wait[] = [];
  const writing = new AbortController();
  const taking = takeUntil(writing.signal, db, of, index.no, waits);
  const disturbed = await writeFor();
  writing.abort();
  await taking;
  const waitsMs = waits.map(({ ms }) => ms);
  return {
    writes: alone,
    'write p99': p99,
    'writes while someone wants in': disturbed,
    'wait to get in, p50': quantile(waitsMs, 0.5),
    'wait to get in, longest': Math.max(...waitsMs),
    'got in before writers stopped': (100 * waits.filter(({ inTime }) => inTime).length) / waits.length,
  };
}

interface Wait {
  ms: number;
  /** True if it succeeded while the writers were running, not after them. */
  inTime: boolean;
}

/** Takes the gate exclusively, again and again while others write. */
async function takeUntil(over: AbortSignal, db: Db, of: Gate, indexNo: number, waits: Wait[]): Promise<void> {
  while (!over.aborted) {
    const { ms } = await timed(() => transaction(db, (trx) => of.close(trx, indexNo)));
    waits.push({ ms, inTime: !over.aborted });
    await sleep(TAKER_PAUSE_MS);
  }
}

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const startMs = performance.now();
  const value = await work();
  return { ms: performance.now() - startMs, value };
}
