import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { CliProcess } from '../cli/support.ts';
import { workflowBundle } from '../support/bundle.ts';
import { eventually } from '../support/eventually.ts';
import { replay } from '../support/replay.ts';
import { TemporalCluster, type TemporalNode, temporalServerFolder } from '../support/servers/temporal-cluster.ts';
import { CallLog, insist } from '../torture/accept.ts';
import { check } from '../torture/check.ts';
import { ALIAS, runClient, send } from '../torture/clients.ts';
import { corpus } from '../torture/content.ts';
import { Oracle } from '../torture/oracle.ts';
import { Random } from '../torture/random.ts';
import { Reindexer } from '../torture/reindexer.ts';
import { settle } from '../torture/settle.ts';
import { System } from '../torture/system.ts';
import { Deployment } from '../upgrade/deployment.ts';
import { readHistories } from '../upgrade/histories.ts';
import { problemsOfLists } from './lists.ts';

const OBJECTS = 1_200;
/** So slow that the reindex lasts until all nodes are back; then it may continue. */
const RATE = 1;
/** Writes that must be accepted while a node is away, and after it is back. */
const WRITES = 6;
/** Nodes that are killed while the reindex runs. */
const AWAY: TemporalNode[] = ['history 1', 'history 2', 'frontend 1', 'frontend 2', 'matching 1', 'matching 2'];
const THREE_DAYS_SECONDS = 259_200;

const programs = temporalServerFolder();

test.skipIf(programs === undefined)(
  'a Temporal Server over Postgres loses each of its nodes in turn during a reindex, and no write is lost',
  async () => {
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    const folder = mkdtempSync(path.join(tmpdir(), 'reembed-temporal-cluster-'));
    chmodSync(folder, 0o755); // as root, Postgres runs as another user, who needs access
    const cluster = new TemporalCluster(folder, programs as string);
    const run = `nodes-${randomUUID().slice(0, 8)}`;
    const env = {
      ...{ TEMPORAL_NAMESPACE: cluster.namespace, REEMBED_TASK_QUEUE: run, REEMBED_BUILD_ID: 'one' },
      REEMBED_VECTOR_INDEX_AFTER_PARTS: '500',
    };
    let system: System | undefined;
    let second: CliProcess | undefined;
    let connection: Connection | undefined;
    onTestFinished(async () => {
      await second?.ends('SIGKILL');
      await system?.stop({ keepFolder: false });
      await connection?.close();
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    await cluster.start(say);
    system = new System(say, { outside: { temporalAddress: cluster.address }, env });
    await system.start();
    connection = await Connection.connect({ address: cluster.address });
    const temporal = new Client({ connection, namespace: cluster.namespace });
    const described = await connection.workflowService.describeNamespace({ namespace: cluster.namespace });
    expect(Number(described.config?.workflowExecutionRetentionTtl?.seconds)).toBe(THREE_DAYS_SECONDS);

    const deployment = new Deployment(cluster.address, run, cluster.namespace);
    await deployment.setCurrent('one');
    const random = new Random(11);
    const api = createClient({ baseUrl: system.apiUrl });
    const [log, oracle, running] = [new CallLog(), new Oracle(), new AbortController()];
    const context = { api, oracle, log, run, objects: OBJECTS, signal: running.signal };
    const reindexer = new Reindexer({ api, log, run, temporal: () => temporal, say });
    const createdAfter = new Date(Date.now() - 1_000);
    await api.indexes.create('i0', { model: { provider: 'hash', dimensions: 32 } });
    await api.aliases.set(ALIAS, 'i0');
    const items = [...corpus(random.fork('corpus'), OBJECTS)];
    await send(context, { taskId: `${run}-corpus`, client: 'corpus', kind: 'upsert', items, form: 'lines' }, true);

    const writing = [0, 1].map((at) => runClient(context, `c${at}`, random.fork(`client ${at}`)));
    const rebuild = `${run}-rebuild`;
    const untilWritten = async () => {
      const before = oracle.writes.length;
      const more = await eventually(
        async () => oracle.writes.length - before,
        (count) => count >= WRITES,
      );
      expect(more).toBeGreaterThanOrEqual(WRITES);
    };
    const without = async (node: TemporalNode) => {
      const again = await cluster.kill(node);
      await untilWritten();
      await again();
      await untilWritten();
    };
    try {
      const destModel = { provider: 'hash' as const, dimensions: 48 };
      const body = { taskId: rebuild, source: ALIAS, dest: 'i1', destModel, ratePerSecond: RATE, batchSize: 4 };
      await insist(log, rebuild, () => api.tasks.reindex(body));
      const phase = await eventually(
        async () => (await insist(log, rebuild, () => api.tasks.info(rebuild))).data.phase,
        (now) => now === 'copy',
      );
      expect(phase).toBe('copy');
      // Each in turn: so the reindex, and every process of reembed, loses the one that it has.
      for (const node of AWAY) await without(node);
      second = await startSecondBuild(system, { ...env, TEMPORAL_ADDRESS: cluster.address });
      await deployment.setCurrent('two');
      await insist(log, 'throttle', () => api.tasks.throttle(rebuild, null));
      expect(await reindexer.endOf(rebuild)).toMatchObject({ status: 'done', attempts: 1, errors: [] });
    } finally {
      running.abort();
      await Promise.all(writing);
    }
    const problems = await settle(api, log, oracle.writes, 90_000);
    const idsOf = (kind: string) => oracle.writes.filter((write) => write.kind === kind).map(({ taskId }) => taskId);
    problems.push(
      ...(await problemsOfLists(api, log, [
        { name: 'upserts', filter: { type: 'upsert', createdAfter }, ids: idsOf('upsert') },
        { name: 'ended', filter: { type: 'delete', status: 'done', createdAfter }, ids: idsOf('delete') },
        { name: 'reindexes', filter: { type: 'reindex', index: 'i1', createdAfter }, ids: [rebuild] },
        { name: 'of the alias', filter: { type: 'reindex', index: ALIAS, open: false, createdAfter }, ids: [rebuild] },
        { name: 'open, without upserts', filter: { without: 'upsert', open: true, createdAfter }, ids: [] },
        { name: 'with failed items', filter: { type: 'reindex', hasFailedItems: true, createdAfter }, ids: [] },
        { name: 'earlier', filter: { createdBefore: createdAfter }, ids: [] },
      ])),
    );
    const db = new pg.Pool({ connectionString: system.databaseUrl, max: 2 });
    const { findings, objects } = await check(api, log, db, oracle.expected(), system.provider.vectorOf).finally(() =>
      db.end(),
    );
    expect(objects).toBeGreaterThan(OBJECTS / 2);
    expect(findings).toEqual(Object.fromEntries(Object.keys(findings).map((kind) => [kind, []])));
    expect([...problems, ...log.violations, ...system.deaths]).toEqual([]);

    const { failedTasks, builds } = await readHistories(temporal, run);
    expect(failedTasks).toEqual([]);
    expect(builds.get(rebuild)).toEqual(['one', 'two']);
    const histories = await Promise.all(
      [rebuild, `${run}-corpus`].map(async (workflowId) => {
        return { workflowId, history: await temporal.workflow.getHandle(workflowId).fetchHistory() };
      }),
    );
    expect(await replay(await workflowBundle(), histories)).toEqual(
      expect.arrayContaining([{ workflowId: rebuild }, { workflowId: `${run}-corpus` }]),
    );
  },
  600_000,
);

/** Starts a worker of the same program as another build, beside those that run. */
async function startSecondBuild(system: System, env: Record<string, string>): Promise<CliProcess> {
  const main = path.join(system.folder, 'build/dist/cli/main.js');
  const settings = { ...env, REEMBED_BUILD_ID: 'two', DATABASE_URL: system.databaseUrl, REEMBED_SHUTDOWN_SECONDS: '2' };
  const worker = new CliProcess(['worker'], settings, [main]);
  await worker.prints(/worker runs/);
  return worker;
}
