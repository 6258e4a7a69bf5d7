import { sql } from 'kysely';
import type { TaskType } from '../../../src/contract/task-types.ts';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { BUILD_CLASS } from '../../../src/store/advisory-classes.ts';
import type { Db } from '../../../src/store/database.ts';
import { createIndex } from '../../store/builders.ts';
import type { ServerName } from './world.ts';

/** How tasks of a type get into a state; each returns the id of a task. */
interface Ways {
  /** It has ended successfully. */
  ended(): Promise<string>;
  /** It does not end by itself while the test runs. */
  running(): Promise<string>;
}

interface Tools {
  db: Db;
  ask<T>(method: string, path: string, body?: unknown, on?: ServerName): Promise<T>;
  run(type: TaskType, body: unknown, query?: string): Promise<Tracker>;
  index(): Promise<string>;
  indexOfModel(model: { name: string; dimensions: number; baseUrl: string }): Promise<string>;
  lockedIndex(): Promise<{ source: string; dest: string }>;
  evaluable(): Promise<{ left: string; right: string; querySet: string }>;
  source(): Promise<string>;
  until(taskId: string, statuses: readonly string[]): Promise<string>;
  items: object[];
  /** A session that seems to build HNSW indexes. */
  builder(): Promise<Db>;
}

export function createWays(tools: Tools): Record<TaskType, Ways> {
  const { db, ask, run, index, indexOfModel, lockedIndex, evaluable, source, until, items, builder } = tools;
  return {
    upsert: {
      ended: async () => (await run('upsert', { index: await index(), items }, '?wait=true')).id,
      running: async () => {
        const { id } = await run('upsert', { index: (await lockedIndex()).source, items, onReindex: 'wait' });
        return until(id, ['waiting']);
      },
    },
    delete: {
      ended: async () => (await run('delete', { index: await index(), ids: ['a'] }, '?wait=true')).id,
      running: async () => {
        const { id } = await run('delete', { index: (await lockedIndex()).source, ids: ['a'], onReindex: 'wait' });
        return until(id, ['waiting']);
      },
    },
    reindex: {
      ended: async () => (await run('reindex', { source: await index(), dest: await index() }, '?wait=true')).id,
      running: async () => until((await run('reindex', await lockedIndex())).id, ['waiting']),
    },
    'reindex-slice': {
      ended: async () => {
        const source = await index();
        await run('upsert', { index: source, items }, '?wait=true');
        const { id } = await run('reindex', { source, dest: await index() }, '?wait=true');
        return until(`${id}/1/1`, ['done']);
      },
      running: async () => {
        const source = await index();
        const many = Array.from({ length: 100 }, (_, at) => ({ id: `o${at}`, payload: `text ${at}` }));
        await run('upsert', { index: source, items: many }, '?wait=true');
        const { id } = await run('reindex', { source, dest: await index(), ratePerSecond: 1, batchSize: 1 });
        return until(`${id}/1/1`, ['processing']);
      },
    },
    'delete-index': {
      ended: async () => (await run('delete-index', { index: await index() }, '?wait=true')).id,
      running: async () => until((await run('delete-index', { index: await index(), after: '1h' })).id, ['waiting']),
    },
    evaluate: {
      ended: async () => (await run('evaluate', await evaluable(), '?wait=true')).id,
      // It waits for a model that does not answer.
      running: async () => {
        const right = await indexOfModel({ name: 'm', dimensions: 8, baseUrl: 'http://127.0.0.1:1/v1' });
        return until((await run('evaluate', { ...(await evaluable()), right })).id, ['processing']);
      },
    },
    audit: {
      ended: async () => (await run('audit', { index: await index() }, '?wait=true')).id,
      // It has a second object to wait for.
      running: async () => {
        const audited = await index();
        const few = ['a', 'b', 'c'].map((id) => ({ id, payload: `text ${id}` }));
        await run('upsert', { index: audited, items: few }, '?wait=true');
        return until((await run('audit', { index: audited, ratePerSecond: 0.001 })).id, ['processing']);
      },
    },
    'vector-index': {
      ended: async () => (await run('vector-index', { index: await index(), vectorIndex: { m: 8 } }, '?wait=true')).id,
      // It waits for another session that builds an HNSW index.
      running: async () => {
        const { name, no } = await createIndex(db);
        await sql`select pg_advisory_lock(${sql.lit(BUILD_CLASS)}, ${no})`.execute(await builder());
        return until((await run('vector-index', { index: name, vectorIndex: { m: 8 } })).id, ['waiting']);
      },
    },
    steer: {
      ended: async () => (await run('steer', { action: 'pause', filter: { taskIds: ['nobody'] } }, '?wait=true')).id,
      // It waits some seconds for the end of a task that does not receive its cancellation.
      running: async () => {
        const stuck = await ask<Tracker>('POST', '/v1/tasks/delete-index/run', { index: await index() }, 'idle');
        const { id } = await run('steer', { action: 'cancel', filter: { taskIds: [stuck.id] } });
        return until(id, ['processing']);
      },
    },
    sync: {
      ended: async () => (await run('sync', { source: await source() }, '?wait=true')).id,
      // Its rate lets it bring the second row after minutes.
      running: async () =>
        until((await run('sync', { source: await source(), ratePerSecond: 0.001 })).id, ['processing']),
    },
    job: {
      ended: async () => (await ask<Tracker>('POST', '/v1/jobs/check/run?wait=true', {})).id,
      running: async () => until((await ask<Tracker>('POST', '/v1/jobs/check/run', { delay: '1h' })).id, ['waiting']),
    },
  };
}
