import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tracker } from '../../src/contract/tasks.ts';
import { findServer } from '../../src/runtime/servers/find.ts';
import { listAliases } from '../../src/store/aliases.ts';
import { getObject } from '../../src/store/objects.ts';
import type { IndexRow } from '../../src/store/schema.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { endOf, givenIndex, type Rig, startRig, startTemporal, trackerWhen } from '../support/rig.ts';

const run = promisify(execFile);

describe('with nothing but the temporal command', () => {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;
  let index: IndexRow;
  let cli: string;

  beforeAll(async () => {
    cli = await findServer('temporal-cli', { env: process.env, say: () => {} });
    [environment, database] = await Promise.all([startTemporal('dev'), openPostgresDatabase()]);
    rig = await startRig({ environment, db: database.db, taskQueue: 'reembed' });
    index = await givenIndex(database.db, 'docs', { alias: 'live' });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });

  async function temporal(...args: string[]): Promise<string> {
    const { stdout } = await run(cli, [
      ...args,
      '--address',
      environment.address,
      '--namespace',
      environment.namespace ?? 'default',
    ]);
    return stdout;
  }
  const start = (type: string, id: string, input: unknown) =>
    temporal(
      'workflow',
      'start',
      '--type',
      type,
      '--task-queue',
      'reembed',
      '--workflow-id',
      id,
      '--input',
      JSON.stringify(input),
    );
  const handleOf = (id: string) => environment.client.workflow.getHandle(id);

  test('an upsert is started, watched and listed', async () => {
    await start('upsert', 'cli-upsert', { index: 'live', items: [{ id: 'a', payload: 'a lion' }] });
    expect(await endOf(handleOf('cli-upsert'))).toMatchObject({ status: 'done', data: { written: 1 } });
    expect(await getObject(database.db, index, 'a')).toMatchObject({ payload: 'a lion' });

    const [answer] = JSON.parse(
      await temporal('workflow', 'query', '--workflow-id', 'cli-upsert', '--type', 'tracker', '--output', 'json'),
    ).queryResult as Tracker[];
    expect(answer).toMatchObject({ id: 'cli-upsert', type: 'upsert', status: 'done' });

    // Lists are eventually consistent.
    const listed = async () => {
      const rows = JSON.parse(await temporal('workflow', 'list', '--query', 'TaskStatus="done"', '--output', 'json'));
      return rows.map((row: { execution: { workflowId: string } }) => row.execution.workflowId);
    };
    await expect.poll(listed).toContain('cli-upsert');
    const byIndex = JSON.parse(
      await temporal('workflow', 'list', '--query', 'TaskIndex="live" AND TaskType="upsert"', '--output', 'json'),
    );
    expect(byIndex).toHaveLength(1);
  });

  test('a delete leaves no object behind', async () => {
    await start('upsert', 'cli-before', { index: 'docs', items: [{ id: 'b', payload: 'a bear' }] });
    await endOf(handleOf('cli-before'));
    await start('delete', 'cli-delete', { index: 'docs', ids: ['b'] });
    expect(await endOf(handleOf('cli-delete'))).toMatchObject({ status: 'done', detail: '1 deleted' });
    await expect(getObject(database.db, index, 'b')).rejects.toMatchObject({ type: 'ObjectNotFound' });
  });

  test('a reindex is canceled by a signal, and another one runs to its end', async () => {
    const items = Array.from({ length: 50 }, (_, at) => ({ id: `k${at}`, payload: `text ${at}` }));
    await rig.run('upsert', { index: 'docs', items });
    const body = { source: 'live', dest: 'docs-2', destModel: { provider: 'hash', dimensions: 16 } };
    await start('reindex', 'cli-reindex', { ...body, ratePerSecond: 5, batchSize: 5 });
    await trackerWhen(handleOf('cli-reindex'), ({ data }) => data.phase === 'copy');
    const reason = JSON.stringify('no longer needed');
    await temporal('workflow', 'signal', '--workflow-id', 'cli-reindex', '--name', 'cancel', '--input', reason);
    expect(await endOf(handleOf('cli-reindex'))).toMatchObject({
      status: 'canceled',
      detail: 'canceled: no longer needed',
    });
    await start('reindex', 'cli-again', body);
    expect(await endOf(handleOf('cli-again'))).toMatchObject({ status: 'done' });
    expect(await listAliases(database.db)).toEqual([{ alias: 'live', index: 'docs-2' }]);
  });

  test("temporal's own cancel ends a task as canceled too", async () => {
    const body = { source: 'live', dest: 'docs-3', destModel: { provider: 'hash', dimensions: 8 } };
    await start('reindex', 'cli-cancel', { ...body, ratePerSecond: 5, batchSize: 5 });
    await trackerWhen(handleOf('cli-cancel'), ({ data }) => data.phase === 'copy');
    await temporal('workflow', 'cancel', '--workflow-id', 'cli-cancel');
    expect(await endOf(handleOf('cli-cancel'))).toMatchObject({ status: 'canceled', lock: null });
  });

  test('the description of a task shows its type, progress and result', async () => {
    const shown = await temporal('workflow', 'describe', '--workflow-id', 'cli-again');
    expect(shown).toMatch(/TaskStatus.*done/);
    const metadata = await temporal('workflow', 'metadata', '--workflow-id', 'cli-again', '--output', 'json');
    expect(metadata).toContain('docs-2 is complete and serves as live');
  });
});
