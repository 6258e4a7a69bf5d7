import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReembedError } from '../../src/contract/errors.ts';
import { uniqueName } from '../store/builders.ts';
import { type System, startSystem } from '../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system?.stop());

/** An alias of a new index. */
async function givenAlias(): Promise<{ alias: string; index: string }> {
  const { reembed } = system;
  const [alias, index] = [uniqueName('alias'), uniqueName('docs')];
  await reembed.indexes.create(index, { model: { provider: 'hash', dimensions: 16 } });
  await reembed.aliases.set(alias, index);
  return { alias, index };
}

const upsert = (index: string, id = 'a') =>
  system.reembed.tasks.upsert({ index, items: [{ id, payload: `${id} is a lion` }] });

const failureOf = (call: Promise<unknown>): Promise<ReembedError> =>
  call.then(
    () => expect.unreachable('it was to fail'),
    (error) => error,
  );

test('a search after a write finds it, at every try', async () => {
  const { alias, index } = await givenAlias();
  for (let at = 0; at < 20; at++) {
    const { id: token } = await upsert(alias, `o${at}`);
    const { hits } = await system.reembed.search(alias, { text: `o${at} is a lion`, limit: 1, after: token });
    expect(hits[0]?.id).toBe(`o${at}`);
  }
  const last = await system.reembed.tasks.delete({ index: alias, ids: ['o3'] });
  const { hits } = await system.reembed.search(alias, { text: 'o3 is a lion', limit: 100, after: last.id });
  expect(hits.map(({ id }) => id)).not.toContain('o3');
  const state = await system.reembed.awaitWrite(alias, last.id);
  expect(state).toMatchObject({ token: last.id, index, searchable: true, ended: true, status: 'done', failed: 0 });
});

test('each search of a batch waits for its own write', async () => {
  const { alias } = await givenAlias();
  const [first, second] = [await upsert(alias, 'a'), await upsert(alias, 'b')];
  const results = await system.reembed.searchBatch(alias, [
    { text: 'a is a lion', limit: 1, after: first.id },
    { text: 'b is a lion', limit: 1, after: second.id },
    { text: 'b is a lion', after: 'nobody' },
  ]);
  expect(results).toMatchObject([
    { hits: [{ id: 'a' }] },
    { hits: [{ id: 'b' }] },
    { problem: { type: 'urn:reembed:error:TaskNotFound' } },
  ]);
});

test('a write by alias is searchable in the index that serves after a reindex', async () => {
  const { alias } = await givenAlias();
  const { id: token } = await upsert(alias);
  const dest = uniqueName('docs');
  const model = { provider: 'hash' as const, dimensions: 32 };
  await system.reembed.tasks.reindex({ source: alias, dest, destModel: model }, { wait: true });
  expect(await system.reembed.awaitWrite(alias, token)).toMatchObject({ index: dest, searchable: true });
  expect((await system.reembed.search(alias, { text: 'a lion', after: token })).index).toBe(dest);
});

test('a write whose items fail is not searchable, and a search after it says so', async () => {
  const index = uniqueName('docs');
  await system.reembed.indexes.create(index, { model: { provider: 'words' } });
  const items = [
    { id: 'a', payload: 'a lion' },
    { id: 'b', uri: 'file:///nowhere/nothing' },
  ];
  const { id: token } = await system.reembed.tasks.upsert({ index, items, maxAttempts: 1 });
  const state = await system.reembed.awaitWrite(index, token, { timeout: 120 });
  expect(state).toMatchObject({ searchable: false, ended: true, failed: 1 });
  const error = await failureOf(system.reembed.search(index, { text: 'lion', after: token }));
  expect([error.type, error.message]).toEqual(['WriteFailed', expect.stringContaining('1 of its items failed')]);
});

test('a write that has not ended in time is not searchable yet', async () => {
  const { alias } = await givenAlias();
  const { id: token } = await upsert(alias);
  await system.reembed.awaitWrite(alias, token, { timeout: 120 });
  await system.reembed.indexes.create(`${alias}-2`, { model: { provider: 'hash', dimensions: 8 } });
  const { id: reindex } = await system.reembed.tasks.reindex({ source: alias, dest: `${alias}-2`, approve: 'manual' });
  await expect.poll(async () => (await system.reembed.tasks.info(reindex)).status, { timeout: 90_000 }).toBe('waiting');
  const held = await system.reembed.tasks.upsert({
    index: alias,
    items: [{ id: 'b', payload: 'b' }],
    onReindex: 'wait',
  });
  expect(await system.reembed.awaitWrite(alias, held.id, { timeout: 0.5 })).toMatchObject({
    searchable: false,
    ended: false,
  });
  const error = await failureOf(system.reembed.search(alias, { text: 'b', after: held.id, timeoutSeconds: 0.5 }));
  expect([error.type, error.message]).toEqual(['SearchTimeout', expect.stringContaining('the write')]);
  await system.reembed.tasks.cancel(held.id);
  await system.reembed.tasks.cancel(reindex);
  const canceled = await system.reembed.awaitWrite(alias, held.id, { timeout: 120 });
  expect(canceled).toMatchObject({ searchable: false, ended: true, status: 'canceled' });
});

test('a token of something else is refused by its field', async () => {
  const [mine, other] = [await givenAlias(), await givenAlias()];
  const { id: write } = await upsert(other.alias);
  expect(await failureOf(system.reembed.awaitWrite(mine.alias, write))).toMatchObject({
    type: 'InvalidInput',
    issues: [{ path: 'token' }],
  });
  expect(await failureOf(system.reembed.search(mine.alias, { text: 'a', after: write }))).toMatchObject({
    type: 'InvalidInput',
    issues: [{ path: 'after' }],
  });
  const { id: deletion } = await system.reembed.indexes.delete(mine.index, { force: true });
  expect(await failureOf(system.reembed.awaitWrite(other.alias, deletion))).toMatchObject({ type: 'InvalidInput' });
  expect(await failureOf(system.reembed.awaitWrite(other.alias, 'nobody'))).toMatchObject({ type: 'TaskNotFound' });
  // By the name of the index that the alias stands for, it is the same write.
  expect(await system.reembed.awaitWrite(other.index, write, { timeout: 120 })).toMatchObject({ searchable: true });
});

test('a write to an index that was deleted is not one to the next index of its name', async () => {
  const index = uniqueName('docs');
  const create = () => system.reembed.indexes.create(index, { model: { provider: 'hash', dimensions: 16 } });
  await create();
  const { id: write } = await upsert(index);
  expect(await system.reembed.awaitWrite(index, write, { timeout: 120 })).toMatchObject({ searchable: true });
  const { id: deletion } = await system.reembed.indexes.delete(index);
  await expect.poll(async () => (await system.reembed.tasks.info(deletion)).status, { timeout: 90_000 }).toBe('done');
  await create();
  expect(await failureOf(system.reembed.awaitWrite(index, write))).toMatchObject({
    type: 'InvalidInput',
    issues: [{ path: 'token', message: expect.stringContaining('was deleted') }],
  });
  const { id: another } = await upsert(index, 'b');
  expect(await system.reembed.awaitWrite(index, another, { timeout: 120 })).toMatchObject({ searchable: true });
});
