import { randomUUID } from 'node:crypto';
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { MIGRATIONS, migrate } from '../../src/store/migrate.ts';
import { CliProcess } from '../cli/support.ts';
import { problemsOfJobs, sendJobs } from '../cluster/jobs.ts';
import { openPostgresDatabase } from '../support/databases.ts';
import { startTemporal } from '../support/rig.ts';
import { CallLog } from '../torture/accept.ts';
import { check } from '../torture/check.ts';
import { ALIAS, runClient, send } from '../torture/clients.ts';
import { corpus } from '../torture/content.ts';
import { Oracle } from '../torture/oracle.ts';
import { Random } from '../torture/random.ts';
import { Reindexer } from '../torture/reindexer.ts';
import { settle } from '../torture/settle.ts';
import { System } from '../torture/system.ts';
import { Deployment } from './deployment.ts';
import { activitiesOf, readHistories, stuckTask } from './histories.ts';
import { buildNextVersion, NEXT_MIGRATION } from './next-version.ts';

const OBJECTS = 1_200;
/** So slow that the reindex lasts as long as the upgrade; then it may continue. */
const RATE = 20;

test('workers are upgraded under writes, jobs and a reindex, and nothing is lost or has to be done again by hand', async () => {
  const said: string[] = [];
  const [environment, database] = await Promise.all([startTemporal('dev', { alone: true }), openPostgresDatabase()]);
  const run = `upgrade-${randomUUID().slice(0, 8)}`;
  const env = { REEMBED_TASK_QUEUE: run, REEMBED_VECTOR_INDEX_AFTER_PARTS: '2000' };
  const outside = { temporalAddress: environment.address, databaseUrl: database.url };
  const system = new System((line) => said.push(line), { workers: [], outside, env });
  const deployment = new Deployment(environment.address, run);
  const workers: CliProcess[] = [];
  onTestFinished(async () => {
    await Promise.all(workers.map((worker) => worker.ends('SIGKILL')));
    await system.stop({ keepFolder: false });
    await environment.teardown();
    await database.close();
  });
  await system.start();
  const main = path.join(system.folder, 'build/dist/cli/main.js');
  const startWorker = async (program: string, buildId: string) => {
    const folder = path.resolve(path.dirname(program), '../..');
    copyFileSync(fileURLToPath(new URL('tasks.mjs', import.meta.url)), path.join(folder, 'tasks.mjs'));
    const worker = new CliProcess(
      ['worker', '--tasks', path.join(folder, 'tasks.mjs')],
      {
        ...env,
        DATABASE_URL: database.url,
        TEMPORAL_ADDRESS: environment.address,
        REEMBED_BUILD_ID: buildId,
        REEMBED_SHUTDOWN_SECONDS: '2',
      },
      [program],
    );
    workers.push(worker);
    await worker.prints(/worker runs/);
    return worker;
  };

  // The new build polls from the beginning: it gets no work before it is ramped up.
  const [old] = await Promise.all([startWorker(main, 'old'), startWorker(buildNextVersion(main), 'new')]);
  await deployment.setCurrent('old');
  const random = new Random(11);
  const api = createClient({ baseUrl: system.apiUrl });
  const [log, oracle, running] = [new CallLog(), new Oracle(), new AbortController()];
  const context = { api, oracle, log, run, objects: OBJECTS, signal: running.signal };
  const client = environment.client;
  const reindexer = new Reindexer({ api, log, run, temporal: () => client, say: (line) => said.push(line) });
  await api.indexes.create('i0', { model: { provider: 'hash', dimensions: 32 } });
  await api.aliases.set(ALIAS, 'i0');
  const items = [...corpus(random.fork('corpus'), OBJECTS)];
  await send(context, { taskId: `${run}-corpus`, client: 'corpus', kind: 'upsert', items, form: 'lines' }, true);

  const writing = [0, 1].map((at) => runClient(context, `c${at}`, random.fork(`client ${at}`)));
  const jobs = sendJobs(api, log, run, running.signal);
  const rebuild = `${run}-rebuild`;
  const untilCopying = async () => {
    while ((await api.tasks.info(rebuild)).data.phase !== 'copy') await sleep(100);
  };
  try {
    const destModel = { provider: 'hash' as const, dimensions: 48 };
    const pace = { ratePerSecond: RATE, batchSize: 8 };
    await api.tasks.reindex({ taskId: rebuild, source: ALIAS, dest: 'i1', destModel, ...pace });
    await untilCopying();
    expect(await migrate(database.db, { ...MIGRATIONS, ...NEXT_MIGRATION })).toEqual(['0900_next']);
    await deployment.ramp('new', 50);
    for (const before = oracle.writes.length; oracle.writes.length < before + 10; ) await sleep(50);
    await deployment.setCurrent('new');
    expect(await old.ends('SIGTERM')).toBe(0);
    expect(await api.tasks.throttle(rebuild, null)).toMatchObject({ status: 'processing' });
    await Promise.race([client.workflow.getHandle(rebuild).result(), stuckTask(client, rebuild)]);
    expect(await reindexer.endOf(rebuild)).toMatchObject({ status: 'done', attempts: 1, errors: [] });
  } finally {
    running.abort();
    await Promise.all(writing);
  }
  const problems = [
    ...(await settle(api, log, oracle.writes, 60_000)),
    ...(await problemsOfJobs(reindexer, await jobs)),
  ];

  const db = new pg.Pool({ connectionString: database.url, max: 2 });
  const { findings, objects } = await check(api, log, db, oracle.expected(), system.provider.vectorOf).finally(() =>
    db.end(),
  );
  expect(objects).toBeGreaterThan(OBJECTS / 2);
  expect(findings).toEqual(Object.fromEntries(Object.keys(findings).map((kind) => [kind, []])));
  expect([...problems, ...log.violations, ...system.deaths]).toEqual([]);

  const { failedTasks, builds } = await readHistories(client, run);
  expect(failedTasks).toEqual([]);
  expect(builds.get(rebuild)).toEqual(['old', 'new']);
  // What was done before the move is not repeated; what follows runs as in the next version.
  const steps = await activitiesOf(client, rebuild);
  expect(steps.filter((name) => name === 'checkModel')).toHaveLength(1);
  expect(steps.filter((name) => name === 'verify')).toHaveLength(2);
  const kinds = new Set([...builds.values()].map((each) => each.join()));
  expect(kinds).toContain('old');
  expect(kinds).toContain('new');
}, 400_000);
