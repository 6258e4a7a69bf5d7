import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, type ReembedClient } from '../../src/client/client.ts';
import { uniqueName } from '../store/builders.ts';
import { type System, startSystem } from '../support/system.ts';

let system: System;
let ann: ReembedClient;
beforeAll(async () => {
  system = await startSystem();
  const apiTokens = [{ name: 'ann', role: 'admin' as const, token: 'a-token-of-ann' }];
  ann = createClient({ baseUrl: await system.listen({ apiTokens }), token: 'a-token-of-ann' });
});
afterAll(() => system?.stop());

async function givenIndex(): Promise<string> {
  const index = uniqueName('docs');
  await ann.indexes.create(index, { model: { provider: 'hash', dimensions: 16 } });
  return index;
}

test('the history of an object names the tasks and tokens of its writes, and why one failed', async () => {
  const index = await givenIndex();
  const first = await ann.tasks.upsert({ index, items: [{ id: 'a', payload: 'a lion' }] }, { wait: true });
  const lost = await ann.tasks.upsert(
    { index, items: [{ id: 'a', uri: 'file:///nowhere/nothing' }], maxAttempts: 1 },
    { wait: true },
  );
  const lines = [{ id: 'a', payload: 'a lion', metadata: { lang: 'en' } }];
  const third = await ann.tasks.upsertStream(index, lines, { wait: true });
  const last = await system.reembed.tasks.delete({ index, ids: ['a'] }, { wait: true });
  const history = await ann.objects.history(index, 'a');
  expect(history).toMatchObject({ index, id: 'a', model: { provider: 'hash', name: 'hash-v1', dimensions: 16 } });
  expect(history.events).toMatchObject([
    { kind: 'deleted', version: last.version, taskId: last.id, by: null },
    { kind: 'unchanged', version: third.version, taskId: third.id, by: 'ann' },
    { kind: 'failed', version: lost.version, taskId: lost.id, by: 'ann', reason: expect.any(String) },
    { kind: 'written', version: first.version, taskId: first.id, by: 'ann' },
  ]);
});

test('the history of an object in a rebuilt index begins with its copy, and continues with writes', async () => {
  const [source, dest, alias] = [await givenIndex(), uniqueName('docs'), uniqueName('alias')];
  await ann.aliases.set(alias, source);
  await ann.tasks.upsert({ index: alias, items: [{ id: 'a', payload: 'a lion' }] }, { wait: true });
  const model = { provider: 'hash' as const, dimensions: 32 };
  const reindex = await ann.tasks.reindex({ source: alias, dest, destModel: model }, { wait: true });
  await ann.tasks.upsert({ index: alias, items: [{ id: 'a', payload: 'a tiger' }] }, { wait: true });
  const { index, model: made, events } = await ann.objects.history(alias, 'a');
  expect([index, made.dimensions]).toEqual([dest, 32]);
  expect(events).toMatchObject([
    { kind: 'written', copied: false, by: 'ann' },
    { kind: 'written', copied: true, copiedFrom: source, taskId: reindex.id, by: null },
  ]);
  await expect(ann.objects.history(alias, 'nobody')).rejects.toMatchObject({ type: 'ObjectNotFound' });
});
