/**
 * Records histories of every workflow into test/histories/. The tests replay them to detect changes of workflow code
 * that would break running tasks. Run it when a workflow changes on purpose, behind `patched()`, and keep the old
 * files: `npx tsx scripts/record-histories.ts NAME_OF_THE_RECORDING`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { z } from 'zod';
import { ReembedError } from '../src/contract/errors.ts';
import { followerIdOf, WORKFLOW } from '../src/contract/names.ts';
import { createRegistry, defineTask } from '../src/jobs/index.ts';
import { startPglite } from '../src/runtime/servers/pglite.ts';
import { openDatabase } from '../src/store/database.ts';
import { findIndex } from '../src/store/indexes.ts';
import { migrate } from '../src/store/migrate.ts';
import { follow, stopFollowing } from '../src/temporal/sources.ts';
import { askRollBack } from '../src/temporal/tasks/roll-back.ts';
import { endOf, givenIndex, startRig, startTemporal, trackerWhen } from '../test/support/rig.ts';
import { type History, historyToJSON } from '../test/support/sdk-internals.ts';
import { givenSource, untilBrought } from '../test/workflows/sources/world.ts';

const name = process.argv[2];
if (!name || !/^[\w.-]+$/.test(name)) throw new Error('name the recording, for instance 0.1.0');
const root = fileURLToPath(new URL('../', import.meta.url));
const folder = path.join(root, 'test/histories', name);
await mkdir(folder, { recursive: true });

const database = await startPglite({ dataDir: 'memory', say: () => {} });
const db = openDatabase({ connection: database.connection, maxConnections: 1 });
await migrate(db);
const environment = await startTemporal('dev');
let broken = false;
const registry = createRegistry();
const work = defineTask(
  {
    registry,
    name: 'work',
    input: z.object({ ms: z.int() }),
    key: () => 'one',
    maxAttempts: 2,
    backOff: { initial: '100ms' },
  },
  async ({ ms }) => {
    if (ms < 0) throw new RangeError('less than no time');
    await delay(ms);
    return ms;
  },
);
const rig = await startRig({
  environment,
  db,
  jobs: { registry },
  embedder: (_config, usual) => ({
    ...usual,
    async embed(texts, options) {
      if (broken) throw new ReembedError('ModelUnauthorized', 'the key was refused');
      if (texts.some((text) => text.includes('poison'))) throw new ReembedError('ModelRejectedInput', 'no');
      return usual.embed(texts, options);
    },
  }),
});
await givenIndex(db, 'a', { alias: 'live' });
const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;
const items = (count: number) => Array.from({ length: count }, (_, at) => ({ id: `k${at}`, payload: `text ${at}` }));
const slow = { ratePerSecond: 20, batchSize: 10 };

/** Writes a history without the path of this checkout, which occurs in stack traces and payloads. */
async function save(file: string, history: History): Promise<void> {
  const json = historyToJSON(history).replaceAll(root, '/reembed/');
  const clean = json.replaceAll(/"data": "([\w+/=]+)"/g, (whole, data: string) => {
    const text = Buffer.from(data, 'base64').toString();
    return text.includes(root)
      ? `"data": "${Buffer.from(text.replaceAll(root, '/reembed/')).toString('base64')}"`
      : whole;
  });
  await writeFile(path.join(folder, `${file}.json`), clean);
}

async function record(id: string): Promise<void> {
  const handle = environment.client.workflow.getHandle(id);
  const history = await handle.fetchHistory();
  await save(id.replaceAll('/', '-'), history);
  console.log(`recorded ${id}: ${history.events?.length} events`);
}
async function recordEnd(id: string): Promise<void> {
  const tracker = await endOf(environment.client.workflow.getHandle(id));
  console.log(`${id} ended as ${tracker.status}: ${tracker.detail}`);
  await record(id);
}

await rig.start('upsert', { index: 'live', items: items(3) }, 'upsert-small');
await recordEnd('upsert-small');
await rig.start('upsert', { index: 'live', items: [...items(300), { id: 'p', payload: 'poison' }] }, 'upsert-large');
await recordEnd('upsert-large');
await rig.start('audit', { index: 'live', repair: true }, 'audit');
await recordEnd('audit');
const audited = await rig.start('audit', { index: 'live', ratePerSecond: 25 }, 'audit-paused');
await trackerWhen(audited, ({ progress }) => progress.total > 0);
await audited.signal('pause');
await trackerWhen(audited, ({ status }) => status === 'paused');
await audited.signal('resume');
await recordEnd('audit-paused');
await rig.start('delete', { index: 'live', ids: ['k1', 'k2'] }, 'delete');
await recordEnd('delete');
await rig.start('delete', { index: 'live', ids: items(2_500).map(({ id }) => id) }, 'delete-wide');
await recordEnd('delete-wide');
broken = true;
await rig.start('upsert', { index: 'live', items: [{ id: 'new', payload: 'new text' }] }, 'upsert-failed');
await recordEnd('upsert-failed');
broken = false;
await rig.start('upsert', { index: 'nowhere', items: items(1) }, 'upsert-bad-input');
await recordEnd('upsert-bad-input');

const first = await rig.start('reindex', { source: 'live', dest: 'b', destModel, ...slow }, 'reindex-canceled');
await trackerWhen(first, ({ children }) => children.processing === 1);
const waiting = await rig.start(
  'reindex',
  { source: 'live', dest: 'c', destModel, waitSeconds: 1 },
  'reindex-after-conflict',
);
await trackerWhen(waiting, ({ status }) => status === 'waiting');
await rig.start('upsert', { index: 'live', items: items(2) }, 'upsert-forwarded');
await recordEnd('upsert-forwarded');
const standing = await rig.start('upsert', { index: 'live', items: items(1), onReindex: 'wait' }, 'upsert-waiting');
await trackerWhen(standing, ({ status }) => status === 'waiting');
await first.signal('cancel', 'enough');
await recordEnd('reindex-canceled');
await record('reindex-canceled/1/1');
await standing.signal('restart');
await recordEnd('upsert-waiting');
await recordEnd('reindex-after-conflict');

const steered = await rig.start(
  'reindex',
  { source: 'live', dest: 'd', destModel, ...slow, retire: { after: '2s', keepCurrent: true } },
  'reindex-steered',
);
await trackerWhen(steered, ({ children }) => children.processing === 1);
await steered.signal('pause');
await trackerWhen(steered, ({ status }) => status === 'paused');
await steered.signal('throttle', null);
await steered.signal('resume');
await recordEnd('reindex-steered');
await record('reindex-steered/1/1');
await recordEnd('reindex-steered/retire/1');
await rig.start(
  'reindex',
  { source: 'live', dest: 'rolled', destModel, retire: { after: '24h', keepCurrent: true } },
  'reindex-rolled-back',
);
await endOf(environment.client.workflow.getHandle('reindex-rolled-back'));
for (const name of ['d', 'rolled']) {
  const toNo = (await findIndex(db, name))?.no ?? 0;
  await askRollBack(environment.client, 'reindex-rolled-back/retire/1', { toNo, by: null, reason: 'recorded' });
}
await environment.client.workflow.getHandle('reindex-rolled-back/retire/1').signal('cancel');
await recordEnd('reindex-rolled-back/retire/1');
broken = true;
// Another model than that of its source, whose vectors it would take over without a call.
const otherModel = { ...destModel, dimensions: 24 };
const pausedByModel = await rig.start('reindex', { source: 'live', dest: 'e', destModel: otherModel }, 'reindex-held');
await trackerWhen(pausedByModel, ({ status }) => status === 'paused');
broken = false;
await pausedByModel.signal('resume');
await recordEnd('reindex-held');
const kept = await rig.start('delete-index', { index: 'e', after: '1h' }, 'delete-index-canceled');
await trackerWhen(kept, ({ status }) => status === 'waiting');
await kept.signal('cancel');
await recordEnd('delete-index-canceled');
await rig.start('delete-index', { index: 'e' }, 'delete-index-refused');
await recordEnd('delete-index-refused');
const held = await rig.start('delete-index', { index: 'e', after: '1h' }, 'delete-index-held');
await trackerWhen(held, ({ status }) => status === 'waiting');
await rig.start('steer', { action: 'cancel', filter: { taskIds: ['delete-index-held', 'nobody'] } }, 'steer');
await recordEnd('steer');
await environment.client.workflow.execute('maintain', { workflowId: 'maintain', taskQueue: rig.taskQueue });
await record('maintain');
const built = await findIndex(db, 'e');
await environment.client.workflow.execute(WORKFLOW.buildIndex, {
  ...{ workflowId: 'build-index', taskQueue: rig.taskQueue },
  args: [built?.no],
});
await record('build-index');

await sql`create table articles (id int primary key, body text)`.execute(db);
await sql`insert into articles select i, 'text ' || i from generate_series(1, 1100) i`.execute(db);
const source = await givenSource(db, 'articles', { index: 'live', table: 'articles', text: ['body'] });
await follow(environment.client, { ...source, taskQueue: rig.taskQueue });
const loaded = await rig.start('sync', { source: 'articles', ratePerSecond: 100 }, 'sync-steered');
await trackerWhen(loaded, ({ progress }) => progress.total > 0);
await loaded.signal('pause');
await trackerWhen(loaded, ({ status }) => status === 'paused');
await loaded.signal('throttle', null);
await loaded.signal('resume');
await recordEnd('sync-steered');
await rig.start('sync', { source: 'nothing' }, 'sync-failed');
await recordEnd('sync-failed');
await untilBrought(db, source);
await stopFollowing(environment.client, source);
await save('follow-source', await environment.client.workflow.getHandle(followerIdOf(source.name)).fetchHistory());

await work.applyAsync({ ms: 800 }, { taskId: 'job-done' });
await recordEnd('job-done');
await work.applyAsync({ ms: -1 }, { taskId: 'job-exhausted' });
await recordEnd('job-exhausted');
const delayed = await work.applyAsync({ ms: 1 }, { taskId: 'job-delayed', delay: '1h' });
await trackerWhen(environment.client.workflow.getHandle(delayed.id), ({ status }) => status === 'waiting');
await delayed.cancel();
await recordEnd('job-delayed');
await work.applyAsync({ ms: 2_000 }, { taskId: 'job-first', onDuplicate: 'serial' });
await work.applyAsync({ ms: 1 }, { taskId: 'job-second', onDuplicate: 'serial' });
await rig.start('job', { name: 'work', input: { ms: 1 }, onDuplicate: 'discard' }, 'job-ignored');
await rig.start('job', { name: 'work', input: { ms: 1 }, onDuplicate: 'serial' }, 'job-by-hand');
for (const id of ['job-ignored', 'job-first', 'job-second', 'job-by-hand']) await recordEnd(id);
for await (const { workflowId } of environment.client.workflow.list({ query: `WorkflowType = 'jobLane'` })) {
  const lane = environment.client.workflow.getHandle(workflowId);
  await lane.result();
  await save('job-lane', await lane.fetchHistory());
}

await rig.stop();
await environment.teardown();

// A lane with a long history, on a server with a low limit for long histories.
const short = await startTemporal('dev', { dynamicConfig: ['limit.historyCount.suggestContinueAsNew=30'] });
const shortRegistry = createRegistry();
const next = defineTask({ registry: shortRegistry, name: 'next', onDuplicate: 'serial' }, () => delay(200));
const shortRig = await startRig({ environment: short, db, jobs: { registry: shortRegistry } });
const sent = await Promise.all(Array.from({ length: 12 }, () => next.delay()));
for (const job of sent) await job.wait();
let runs = 0;
for await (const { workflowId, runId } of short.client.workflow.list({ query: `WorkflowType = 'jobLane'` })) {
  await short.client.workflow.getHandle(workflowId).result();
  const lane = short.client.workflow.getHandle(workflowId, runId, { followRuns: false });
  runs++;
  await save(`job-lane-long-${runs}`, await lane.fetchHistory());
}
console.log(`recorded ${runs} runs of one lane`);
await shortRig.stop();
await short.teardown();
await db.destroy();
await database.stop();
process.exit(0);
