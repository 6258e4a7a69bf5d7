import { once } from 'node:events';
import { sql } from 'kysely';
import { createApi } from '../../../src/api/app.ts';
import type { TaskType } from '../../../src/contract/task-types.ts';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { createRegistry, defineTask } from '../../../src/jobs/index.ts';
import { createModels } from '../../../src/models/models.ts';
import { startHttpServer } from '../../../src/runtime/http-server.ts';
import { type Db, transaction } from '../../../src/store/database.ts';
import { markDeleting } from '../../../src/store/indexes.ts';
import { saveQuerySet } from '../../../src/store/query-sets.ts';
import { createIndex, lockIn, uniqueName } from '../../store/builders.ts';
import { openPostgresDatabase } from '../../support/databases.ts';
import { type Behaviour, startEmbeddingServer } from '../../support/embedding-server.ts';
import { seenWhen } from '../../support/eventually.ts';
import { silentLog, startRig, startTemporal } from '../../support/rig.ts';
import { givenSource } from '../../workflows/sources/world.ts';
import { silentDatabase, silentTemporal } from '../support.ts';
import { createWays } from './ways.ts';

export type ServerName = 'api' | 'idle' | 'guarded' | 'limited' | 'small' | 'stopping' | 'noDatabase' | 'noTemporal';
/** Token of the server `guarded`. */
export const VIEW_TOKEN = 'a-token';

export type World = Awaited<ReturnType<typeof openWorld>>;

/** Starts a real system: servers on separate ports, Temporal, Postgres, workers, and a model that can fail on demand. */
export async function openWorld() {
  const environment = await startTemporal('dev');
  const database = await openPostgresDatabase();
  const { db } = database;
  const registry = createRegistry();
  defineTask({ name: 'check', registry }, () => {});
  const rig = await startRig({
    environment,
    db,
    settings: { maxConcurrentReindexes: 1_000 },
    // Tasks that run during the rest of the tests keep theirs.
    maxEmbedActivities: 1_000,
    jobs: { registry },
  });
  const embeddings = await startEmbeddingServer({ dimensions: 8 });
  const usual = {
    db,
    client: environment.client,
    models: createModels({ env: {} }),
    taskQueue: rig.taskQueue,
    log: silentLog,
    registry,
  };
  const apis = {
    api: createApi(usual),
    /** No worker takes tasks started here. */
    idle: createApi({ ...usual, taskQueue: 'idle' }),
    guarded: createApi({ ...usual, settings: { apiTokens: [{ name: 'one', role: 'view', token: VIEW_TOKEN }] } }),
    /** A token may send one request per hour. */
    limited: createApi({
      ...usual,
      settings: { limits: { perWindow: 1, windowMs: 3_600_000, atOnce: 0, streams: 0 } },
    }),
    small: createApi({ ...usual, settings: { bodyBytes: 10 } }),
    stopping: createApi({ ...usual, isStopping: () => true }),
    noDatabase: createApi({ ...usual, db: silentDatabase() }),
    noTemporal: createApi({ ...usual, client: silentTemporal(), patienceMs: 0 }),
  };
  const started = await Promise.all(
    Object.entries(apis).map(async ([name, { fetch }]) => {
      const server = await startHttpServer({ fetch, host: '127.0.0.1', port: 0, anyPort: false });
      return [name as ServerName, server] as const;
    }),
  );
  const servers = Object.fromEntries(started.map(([name, { url }]) => [name, url])) as Record<ServerName, string>;
  await fetch(`${servers.limited}/v1/me`);

  async function ask<T>(method: string, path: string, body?: unknown, on: ServerName = 'api'): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(servers[on] + path, { method, headers, body: body ? JSON.stringify(body) : null });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }
  const tracker = (taskId: string) => ask<Tracker>('GET', `/v1/tasks/info?taskId=${encodeURIComponent(taskId)}`);
  const run = (type: TaskType, body: unknown, query = '') =>
    ask<Tracker>('POST', `/v1/tasks/${type}/run${query}`, body);
  const index = async () => (await createIndex(db)).name;
  const indexOfModel = async (model: { name: string; dimensions: number; baseUrl: string }) =>
    (await createIndex(db, { model: { provider: 'openai', ...model } })).name;

  async function alias(target: string): Promise<string> {
    const name = uniqueName('alias');
    await ask('PUT', `/v1/aliases/${name}`, { index: target });
    return name;
  }

  /** An index that is locked during all tests. */
  async function lockedIndex(): Promise<{ source: string; dest: string }> {
    const [source, dest] = [await index(), await index()];
    await lockIn(db, source, dest, { lockSeconds: 3_600 });
    return { source, dest };
  }

  async function until(taskId: string, statuses: readonly string[]): Promise<string> {
    const look = async () => (await tracker(taskId).catch(() => ({ status: 'none' }))).status;
    await seenWhen(look, (status) => statuses.includes(status), `${taskId} (${statuses.join(' or ')})`);
    return taskId;
  }

  /** Two indexes and a query set to compare them by. */
  async function evaluable(): Promise<{ left: string; right: string; querySet: string }> {
    const querySet = uniqueName('set');
    await saveQuerySet(db, querySet, [{ id: 'q1', text: 'big cat', relevant: [] }]);
    return { left: await index(), right: await index(), querySet };
  }

  const items = [{ id: 'a', payload: 'a lion' }];

  /** A source of a table with two rows. */
  async function source(): Promise<string> {
    const table = uniqueName('rows').replaceAll('-', '_');
    await sql.raw(`create table ${table} (id int primary key, body text)`).execute(db);
    await sql.raw(`insert into ${table} values (1, 'a lion'), (2, 'a ship')`).execute(db);
    const name = uniqueName('source');
    await givenSource(db, name, { index: await index(), table, text: ['body'] });
    return name;
  }

  /** A reindex that has switched its alias, and whose old index is kept current. */
  async function switchedFrom(source: string): Promise<{ id: string; alias: string }> {
    const [alias, dest] = [uniqueName('alias'), uniqueName('dest')];
    await ask('PUT', `/v1/aliases/${alias}`, { index: source });
    const retire = { after: '1h', keepCurrent: true };
    const body = { source: alias, dest, destModel: { provider: 'hash', dimensions: 16 }, retire };
    const { id } = await run('reindex', body, '?wait=true');
    return { id, alias };
  }
  let building: Promise<Db> | undefined;
  const closing = new AbortController();
  /** A session that seems to build HNSW indexes during all tests. Its transactions end: one that is open holds up all builds. */
  function builder(): Promise<Db> {
    building ??= new Promise((resolve, reject) => {
      const hold = (connection: Db) => {
        resolve(connection);
        return once(closing.signal, 'abort');
      };
      db.connection().execute(hold).catch(reject);
    });
    return building;
  }
  const switched = async () => (await switchedFrom(await index())).id;
  const ways = createWays({ db, run, ask, index, indexOfModel, lockedIndex, evaluable, source, until, items, builder });

  return {
    db,
    servers,
    tracker,
    ask,
    index,
    source,
    lockedIndex,
    evaluable,
    /** The id of a task that has ended successfully. */
    ended: (type: TaskType) => ways[type].ended(),
    /** The id of a task that will not end by itself while the test runs. */
    running: (type: TaskType) => ways[type].running(),
    /** The id of a reindex that waits for an approval. */
    async undecided(): Promise<string> {
      const { id } = await run('reindex', { source: await index(), dest: await index(), approve: 'manual' });
      await until(id, ['waiting']);
      return id;
    },
    switched,
    /** A reindex whose old index lacks an object, which its model rejects. */
    async switchedToMore(): Promise<string> {
      embeddings.behave(() => undefined);
      const source = await indexOfModel({ name: 'm', dimensions: 8, baseUrl: embeddings.url });
      const { id, alias } = await switchedFrom(source);
      embeddings.behave(() => ({ kind: 'error', status: 400 }));
      await run('upsert', { index: alias, items }, '?wait=true');
      return id;
    },
    /** A reindex whose old index is kept current by a task that no worker runs. */
    async switchedWithoutWorker(): Promise<string> {
      const id = await switched();
      const { workflow } = environment.client;
      await workflow.getHandle(`${id}/retire/1`).terminate();
      await workflow.start('deleteIndex', {
        workflowId: `${id}/retire/1`,
        taskQueue: 'idle',
        args: [{ index: 'none' }],
      });
      return id;
    },
    /** The id of a reindex that waits for an approval while its new index gets searches. */
    async readable(): Promise<string> {
      const body = { source: await alias(await index()), dest: await index(), approve: 'manual', shadow: 0.5 };
      const { id } = await run('reindex', body);
      return until(id, ['waiting']);
    },
    /** The id of the deletion of an index that is kept current until then. */
    async keptCurrent(): Promise<string> {
      const retire = { after: '1h', keepCurrent: true };
      const { id } = await run(
        'reindex',
        { source: await alias(await index()), dest: await index(), retire },
        '?wait=true',
      );
      return until(`${id}/retire/1`, ['waiting']);
    },
    /** Waits until signals no longer reach the task, which must not have failed. */
    closed: (taskId: string) => environment.client.workflow.getHandle(taskId).result(),
    alias,
    /** A write of one item that is stored, or that its model refuses. */
    async writeTo(outcome: 'done' | 'failed'): Promise<{ index: string; token: string }> {
      embeddings.behave(() => (outcome === 'failed' ? { kind: 'error', status: 400 } : undefined));
      const name = await indexOfModel({ name: 'm', dimensions: 8, baseUrl: embeddings.url });
      const { id } = await run('upsert', { index: name, items }, '?wait=true');
      embeddings.behave(() => undefined);
      return { index: name, token: id };
    },
    async deletingIndex(): Promise<string> {
      const name = await index();
      await transaction(db, (trx) => markDeleting(trx, name, { force: false }));
      return name;
    },
    /** An index whose model's next call behaves this way. What is known of a model holds for all indexes of its name. */
    async indexWhoseModel(behaviour: Behaviour, name = 'm'): Promise<string> {
      embeddings.behave(() => behaviour);
      return indexOfModel({ name, dimensions: 8, baseUrl: embeddings.url });
    },
    indexOfModel,
    async close(): Promise<void> {
      await Promise.all(started.map(([, server]) => server.stop(0)));
      await embeddings.close();
      if (building) await sql`select pg_advisory_unlock_all()`.execute(await building);
      closing.abort();
      await rig.stop();
      await environment.teardown();
      await database.close();
    },
  };
}
