import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import type { RollBackReport, RollBackRequest } from '../../src/contract/roll-back.ts';
import { listAliases, setAlias } from '../../src/store/aliases.ts';
import { findIndex } from '../../src/store/indexes.ts';
import { getObject } from '../../src/store/objects.ts';
import { listLocks } from '../../src/store/protocol/locks.ts';
import { askRollBack } from '../../src/temporal/tasks/roll-back.ts';
import { endOf, givenIndex, trackerWhen } from '../support/rig.ts';
import { rigOfFile } from '../support/rig-of-file.ts';

const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;

describe('an index that is kept current after a cut-over', () => {
  let names = 0;
  const given = rigOfFile('dev');

  async function givenSwitched({ after = '24h', ...options }: { after?: string; lockSeconds?: number } = {}) {
    const no = ++names;
    const [source, dest, alias] = [`source-${no}`, `dest-${no}`, `alias-${no}`];
    await givenIndex(given.rig.db, source, { alias });
    await given.rig.run('upsert', { index: alias, items: [{ id: 'x', payload: 'the text of x' }] });
    const retire = { after, keepCurrent: true };
    const handle = await given.rig.start('reindex', { source: alias, dest, destModel, retire, ...options });
    expect(await endOf(handle)).toMatchObject({
      status: 'done',
      data: { retireTask: `${handle.workflowId}/retire/1` },
    });
    const keeper = given.rig.environment.client.workflow.getHandle(`${handle.workflowId}/retire/1`);
    const [from, to] = [await noOf(dest), await noOf(source)];
    return { source, dest, alias, keeper, back: { toNo: to }, forward: { toNo: from } };
  }

  const noOf = async (name: string) => (await findIndex(given.rig.db, name))?.no ?? 0;

  function turn(keeper: WorkflowHandle, { toNo, by = null, reason = null }: Partial<RollBackRequest>) {
    return askRollBack(given.rig.environment.client, keeper.workflowId, { toNo: toNo ?? 0, by, reason });
  }

  const upsert = (index: string, id: string) =>
    given.rig.run('upsert', { index, items: [{ id, payload: `the text of ${id}` }] });

  async function contentOf(index: string, id: string) {
    const row = await findIndex(given.rig.db, index);
    if (!row) throw new Error(`${index} is gone`);
    return getObject(given.rig.db, row, id);
  }

  const servedBy = async (alias: string) =>
    (await listAliases(given.rig.db)).find((row) => row.alias === alias)?.index ?? null;

  test('serves again after one call, which says what was written since and keeps the other index current', async () => {
    const { source, dest, alias, keeper, back } = await givenSwitched();
    await upsert(alias, 'y');
    await given.rig.run('delete', { index: alias, ids: ['x'] });
    const report = await turn(keeper, { ...back, by: 'ada', reason: 'worse answers' });
    expect(report).toMatchObject({
      ...{ from: dest, to: source, aliases: [alias], by: 'ada', reason: 'worse answers' },
      ...{ written: 1, deleted: 1, isMore: false },
    });
    expect(await servedBy(alias)).toBe(source);
    expect(await contentOf(source, 'y')).toMatchObject({ payload: 'the text of y' });
    await expect(contentOf(source, 'x')).rejects.toMatchObject({ type: 'ObjectNotFound' });

    const later = await upsert(alias, 'z');
    expect(later.data).toMatchObject({ written: 1, forwarded: 1 });
    expect(await contentOf(dest, 'z')).toMatchObject({ version: later.version });
    expect(await trackerWhen(keeper, ({ status }) => status === 'waiting')).toMatchObject({
      detail: expect.stringContaining(`rolled back from ${dest} to ${source} (worse answers)`),
      data: { rollBack: { from: dest, to: source, written: 1, deleted: 1 } },
      steering: [{ call: 'roll-back', by: 'ada', reason: 'worse answers' }],
    });
  });

  test('rolls forward by the same call, and back again, and loses nothing', async () => {
    const { source, dest, alias, keeper, back, forward } = await givenSwitched();
    await upsert(alias, 'first');
    await turn(keeper, back);
    await upsert(alias, 'second');
    expect(await turn(keeper, forward)).toMatchObject({ from: source, to: dest, aliases: [alias], written: 1 });
    expect(await servedBy(alias)).toBe(dest);
    await upsert(alias, 'third');
    expect(await turn(keeper, back)).toMatchObject({ from: dest, to: source, written: 1 });
    for (const index of [source, dest]) {
      for (const id of ['x', 'first', 'second', 'third']) expect(await contentOf(index, id)).toMatchObject({ id });
    }
  });

  test('is rolled back once by calls at the same time, and by a repeated one', async () => {
    const { source, alias, keeper, back } = await givenSwitched();
    const reports = await Promise.all([turn(keeper, back), turn(keeper, back), turn(keeper, back)]);
    expect(reports.filter((report: RollBackReport | null) => report !== null)).toHaveLength(1);
    expect(await turn(keeper, back)).toBeNull();
    expect(await servedBy(alias)).toBe(source);
  });

  test('moves every alias of the new index back, and only these forward again', async () => {
    const { source, dest, alias, keeper, back, forward } = await givenSwitched();
    const [second, other] = [`${alias}-second`, `${alias}-other`];
    await setAlias(given.rig.db, second, dest);
    await setAlias(given.rig.db, other, source);
    expect(await turn(keeper, back)).toMatchObject({ aliases: [alias, second] });
    expect([await servedBy(alias), await servedBy(second), await servedBy(other)]).toEqual([source, source, source]);
    await upsert(other, 'by the other');
    expect(await turn(keeper, forward)).toMatchObject({ aliases: [alias, second], written: 1 });
    expect([await servedBy(alias), await servedBy(second), await servedBy(other)]).toEqual([dest, dest, source]);
    expect(await contentOf(dest, 'by the other')).toMatchObject({ id: 'by the other' });
  });

  test('gets what a second alias wrote to the old index before a roll back', async () => {
    const { source, dest, alias, keeper, back, forward } = await givenSwitched();
    const other = `${alias}-other`;
    await setAlias(given.rig.db, other, source);
    await upsert(other, 'to the old one');
    await turn(keeper, back);
    await turn(keeper, forward);
    expect(await servedBy(alias)).toBe(dest);
    expect(await contentOf(dest, 'to the old one')).toMatchObject({ id: 'to the old one' });
  });

  test('is rolled back while its deletion is paused', async () => {
    const { source, alias, keeper, back } = await givenSwitched();
    await trackerWhen(keeper, ({ status }) => status === 'waiting');
    await keeper.signal('pause');
    await trackerWhen(keeper, ({ status }) => status === 'paused');
    await upsert(alias, 'y');
    expect(await turn(keeper, back)).toMatchObject({ to: source, written: 1 });
    expect(await servedBy(alias)).toBe(source);
  });

  test('is not deleted after a roll back: both indexes are kept when the time is over', async () => {
    const { source, dest, alias, keeper, back } = await givenSwitched({ after: '2s' });
    await turn(keeper, back);
    expect(await endOf(keeper)).toMatchObject({
      status: 'done',
      detail: expect.stringMatching(/^rolled back from .* is over, both are kept$/),
    });
    expect(await servedBy(alias)).toBe(source);
    expect(await findIndex(given.rig.db, dest)).toMatchObject({ state: 'active' });
    expect(await findIndex(given.rig.db, source)).toMatchObject({ state: 'active' });
    expect(await listLocks(given.rig.db)).not.toContainEqual(expect.objectContaining({ taskId: keeper.workflowId }));
    await expect(turn(keeper, back)).rejects.toMatchObject({ type: 'RollBackRefused', reason: 'not-kept-current' });
  });

  test('is not deleted by a restart while it serves, but is once it was rolled forward', async () => {
    const { source, dest, alias, keeper, back, forward } = await givenSwitched();
    await turn(keeper, back);
    await keeper.signal('restart');
    await upsert(alias, 'y');
    expect(await turn(keeper, forward)).toMatchObject({ to: dest });
    expect(await findIndex(given.rig.db, source)).toMatchObject({ state: 'active' });
    await keeper.signal('restart');
    expect(await endOf(keeper)).toMatchObject({ status: 'done', detail: `${source} is deleted` });
    expect(await contentOf(dest, 'y')).toMatchObject({ id: 'y' });
  });

  test('is kept by a cancel after a roll back, which ends the mirror', async () => {
    const { source, dest, keeper, back } = await givenSwitched();
    await turn(keeper, back);
    await keeper.signal('cancel');
    expect(await endOf(keeper)).toMatchObject({ status: 'canceled' });
    expect(await listLocks(given.rig.db)).not.toContainEqual(expect.objectContaining({ taskId: keeper.workflowId }));
    expect(await findIndex(given.rig.db, dest)).toMatchObject({ state: 'active' });
    expect(await findIndex(given.rig.db, source)).toMatchObject({ state: 'active' });
  });

  test('is not rolled back once an alias was moved back by hand', async () => {
    const { source, alias, keeper, forward } = await givenSwitched({ lockSeconds: 10 });
    await setAlias(given.rig.db, alias, source);
    await expect(turn(keeper, forward)).resolves.toBeNull();
    await expect(turn(keeper, { toNo: await noOf(source) })).rejects.toMatchObject({ type: 'RollBackRefused' });
  });

  test('refuses an index that is not one of the two, and changes nothing', async () => {
    const { dest, alias, keeper } = await givenSwitched();
    await expect(turn(keeper, { toNo: 1_000_000 })).rejects.toMatchObject({ type: 'RollBackRefused' });
    expect(await servedBy(alias)).toBe(dest);
  });
});
