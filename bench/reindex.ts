import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { startTask, waitForTask } from '../src/client/temporal/index.ts';
import { indexConfigSchema } from '../src/contract/indexes.ts';
import { type Db, transaction } from '../src/store/database.ts';
import { ensureIndex } from '../src/store/indexes.ts';
import { writeLive } from '../src/store/protocol/write.ts';
import type { IndexRow } from '../src/store/schema.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, type Contender, compare, type Metric } from './harness.ts';
import { postgresVersions, temporalVersion } from './machine.ts';
import { startModelServer } from './model-server.ts';
import { type RawCopy, rawCopy } from './raw-copy.ts';
import { type BenchSystem, startBenchSystem } from './system.ts';

const DIMENSIONS = 384;
const WRITE_BATCH = 1_000;
const METRICS = [{ name: 'objects', unit: '1/s', better: 'higher' }] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

export const reindex: Benchmark = {
  about: 'copy and reconcile of a reindex, without the HNSW build, against one process that reads, embeds and writes',
  options: { objects: { type: 'string', default: '20000' }, delay: { type: 'string', default: '0' } },
  async run({ runs, options, say }) {
    const objects = Number(options.objects);
    const delayMs = Number(options.delay);
    const { db, url, close } = await openBenchDatabase({ connections: 32, say });
    const model = await startModelServer(DIMENSIONS, delayMs);
    const system = await startBenchSystem(db, say);
    try {
      const source = await givenObjects(db, objects);
      const plan = {
        title: `${objects} objects, model that answers ${delayMs === 0 ? 'at once' : `in ${delayMs} ms`}`,
        metrics: METRICS,
        candidate: ours(system, source, model.url, objects),
        baseline: raw({ db, source, modelUrl: model.url, objects, dimensions: DIMENSIONS }, say),
      };
      const comparisons = [await compare(plan, { runs, say })];
      return {
        comparisons,
        versions: { ...(await postgresVersions(url)), ...(await temporalVersion(system.address)) },
      };
    } finally {
      await system.stop();
      model.stop();
      await close();
    }
  },
};

/** An index of texts of some 200 characters. */
export async function givenObjects(db: Db, count: number): Promise<IndexRow> {
  const config = indexConfigSchema.parse({ model: { provider: 'hash', dimensions: 8 } });
  const { index } = await transaction(db, (trx) => ensureIndex(trx, 'source', config));
  const embedding = [1, 0, 0, 0, 0, 0, 0, 0];
  for (let at = 0; at < count; at += WRITE_BATCH) {
    const objects = Array.from({ length: Math.min(WRITE_BATCH, count - at) }, (_, place) => {
      const id = `object-${String(at + place).padStart(9, '0')}`;
      const payload = `${id}: ${'some words about nothing in particular, '.repeat(5)}`;
      const parts = [{ part: 0, start: null, end: null, isAverage: false, embedding }];
      const rest = { metadata: {}, originalId: null, uri: null, hash: id, parts };
      return { kind: 'content' as const, id, version: at + place + 1, payload, ...rest };
    });
    await writeLive(db, { target: 'source', indexNo: index.no, objects, onReindex: 'forward' });
  }
  return index;
}

export function ours(system: BenchSystem, source: IndexRow, modelUrl: string, objects: number): Contender<Name> {
  return {
    name: 'reembed',
    async run() {
      const taskId = `bench-${randomUUID()}`;
      const dest = `dest-${randomUUID().slice(0, 8)}`;
      const destModel = { provider: 'openai', name: 'bench', dimensions: DIMENSIONS, baseUrl: modelUrl } as const;
      const input = { source: source.name, dest, destModel: indexConfigSchema.parse({ model: destModel }).model };
      const { client, taskQueue } = system;
      await startTask(client, { type: 'reindex', taskId, input, taskQueue, inputHash: taskId });
      const tracker = await waitForTask(client, taskId, 3_600_000);
      if (tracker.status !== 'done') throw new Error(`the reindex is ${tracker.status}: ${tracker.detail}`);
      const seconds = await copySeconds(client, taskId);
      await startTask(client, {
        type: 'delete-index',
        taskId: `${taskId}-delete`,
        input: { index: dest },
        taskQueue,
        inputHash: taskId,
      });
      await waitForTask(client, `${taskId}-delete`, 60_000);
      return { objects: objects / seconds };
    },
  };
}

/** From the start of the workflow to its verification, less the HNSW build: by the server's own clock. */
async function copySeconds(client: Client, taskId: string): Promise<number> {
  const { events } = await client.workflow.getHandle(taskId).fetchHistory();
  const nameOf = new Map<string, string>();
  const atMs = new Map<string, number>();
  for (const event of events ?? []) {
    const ms = Number(event.eventTime?.seconds) * 1_000 + (event.eventTime?.nanos ?? 0) / 1e6;
    const scheduled = event.activityTaskScheduledEventAttributes;
    const completed = event.activityTaskCompletedEventAttributes;
    if (event.workflowExecutionStartedEventAttributes) atMs.set('start', ms);
    if (scheduled) {
      nameOf.set(String(event.eventId), scheduled.activityType?.name ?? '');
      atMs.set(`${scheduled.activityType?.name} begins`, ms);
    }
    if (completed) atMs.set(`${nameOf.get(String(completed.scheduledEventId))} ends`, ms);
  }
  const at = (moment: string) => {
    const ms = atMs.get(moment);
    if (ms === undefined) throw new Error(`the history does not tell when ${moment}`);
    return ms;
  };
  const build = at('buildVectorIndex ends') - at('buildVectorIndex begins');
  return (at('verify begins') - at('start') - build) / 1_000;
}

/** At its best number of batches in flight, which its warm-up finds. */
function raw(copy: RawCopy, say: (line: string) => void): Contender<Name> {
  let best: number | undefined;
  const rate = async (inFlight: number) => copy.objects / (await rawCopy(copy, inFlight));
  return {
    name: 'raw',
    async run() {
      if (best !== undefined) return { objects: await rate(best) };
      const rates: number[] = [];
      for (const inFlight of [1, 2, 3, 4]) rates.push(await rate(inFlight));
      const most = Math.max(...rates);
      best = rates.indexOf(most) + 1;
      say(`raw: ${rates.map(Math.round).join(', ')} objects/s with 1 to 4 batches in flight`);
      return { objects: most };
    },
  };
}
