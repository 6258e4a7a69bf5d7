import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TaskList } from '../../../src/contract/tasks.ts';
import { givenIndex } from '../../support/rig.ts';
import { type System, startSystem } from '../../support/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await givenIndex(system.database.db, 'watched');
});
afterAll(() => system?.stop());

/** Reads pages until one matches. */
async function pageWhen(pages: AsyncIterable<TaskList>, fits: (page: TaskList) => boolean): Promise<TaskList> {
  for await (const page of pages) if (fits(page)) return page;
  throw new Error('the stream ended');
}

it('a page of a list is sent immediately, and again as its tasks start, continue and end', async () => {
  const { reembed } = system;
  const left = AbortSignal.timeout(30_000);
  const pages = reembed.tasks.watchPage({ index: 'watched' }, { signal: left });
  const first = await pages.next();
  expect(first.value).toEqual({ tasks: [], total: 0, cursor: null });
  const { id } = await reembed.tasks.deleteIndex({ index: 'watched', after: '1h' });
  const waiting = await pageWhen({ [Symbol.asyncIterator]: () => ({ next: () => pages.next() }) }, ({ tasks }) =>
    tasks.some((task) => task.id === id && task.status === 'waiting'),
  );
  expect(waiting.total).toBe(1);
  await reembed.tasks.cancel(id);
  const ended = await pageWhen(pages, ({ tasks }) => tasks[0]?.status === 'canceled');
  expect(ended).toMatchObject({ total: 1, tasks: [{ id, type: 'delete-index' }] });
});

it('all readers of the same page get all of it', async () => {
  const { reembed } = system;
  const filter = { type: 'upsert', limit: 1 } as const;
  const look = () =>
    pageWhen(
      reembed.tasks.watchPage(filter, { signal: AbortSignal.timeout(30_000) }),
      ({ tasks }) => tasks[0]?.status === 'done',
    );
  const looks = [look(), look(), look()];
  const { id } = await reembed.tasks.upsert({ index: 'watched', items: [{ id: 'a', payload: 'text' }] });
  for (const page of await Promise.all(looks)) expect(page.tasks.map((task) => task.id)).toEqual([id]);
});

it('an invalid query is refused before the stream begins', async () => {
  const asked = await fetch(`${system.url}/v1/tasks/list?limit=0`, { headers: { accept: 'text/event-stream' } });
  expect([asked.status, asked.headers.get('content-type')]).toEqual([400, 'application/problem+json']);
});
