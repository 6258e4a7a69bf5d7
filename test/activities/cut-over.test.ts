import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { expect, test, vi } from 'vitest';
import type { EmbedActivities } from '../../src/contract/activities.ts';
import { ReembedError } from '../../src/contract/errors.ts';
import { requireLock } from '../../src/store/protocol/locks.ts';
import { content, writeIn } from '../store/builders.ts';
import { givenPair, useActivities } from './world.ts';

const world = useActivities();

test('a reindex knows whether it has cut over by the lock that it held', async () => {
  const { dest, request } = await givenPair(world.db);
  const { control, embed: embedding } = world.activities;
  const wasCutOver = () => new MockActivityEnvironment().run(control.wasCutOver, dest.no, request.lock);
  expect(await wasCutOver()).toBe(false);
  expect(await new MockActivityEnvironment().run(embedding.cutOver, request)).toMatchObject({ kind: 'done' });
  expect(await wasCutOver()).toBe(true);
  expect(await new MockActivityEnvironment().run(control.wasCutOver, dest.no, randomUUID())).toBe(false);
});

test.each([
  ['does not answer', async () => {}],
  [
    'asks for patience',
    async () => {
      throw new ReembedError('ModelRateLimited', 'slow down', { retryAfterMs: 30_000 });
    },
  ],
])('a provider that %s blocks writers no longer than allowed', async (_what, answer) => {
  const { source, request } = await givenPair(world.db);
  const { db } = world;
  let calls = 0;
  world.embed = async (texts, { signal } = { purpose: 'document' }) => {
    // The pass before draining may run; what is written then is left for draining.
    if (++calls === 1) {
      await writeIn(db, source, [content('b', 2)]);
      return texts.map(() => [1, 2, 3]);
    }
    expect(await requireLock(db, request.lock)).toMatchObject({ draining: true });
    await answer();
    // Longer than the test may last.
    await delay(600_000, undefined, { signal });
    return [];
  };
  const cutOver = new MockActivityEnvironment().run(world.activities.embed.cutOver, request);
  const outcome = (await cutOver) as Awaited<ReturnType<EmbedActivities['cutOver']>>;
  expect(outcome).toMatchObject({ kind: 'notYet' });
  expect(outcome.drainMs).toBeLessThan(90_000);
  expect(outcome.mark).toBeGreaterThan(request.mark);
  expect(await requireLock(db, request.lock)).toMatchObject({ draining: false });
});

test('a cut-over blocks writers by a short lease, and renews it while it is busy', async () => {
  const { source, request } = await givenPair(world.db);
  const { db } = world;
  const until = async () => {
    const { rows } = await sql<{ until: Date | null; seconds: number }>`
      select draining_until as until, extract(epoch from draining_until - clock_timestamp())::float8 as seconds
      from reembed.reindex_locks where lock = ${request.lock}::uuid`.execute(db);
    return rows[0] ?? { until: null, seconds: 0 };
  };
  let calls = 0;
  world.embed = async (texts) => {
    if (++calls === 1) await writeIn(db, source, [content('b', 2)]);
    else {
      const first = await until();
      expect(first.seconds).toBeLessThan(1);
      await vi.waitFor(async () => expect((await until()).until).not.toEqual(first.until), 90_000);
      expect((await until()).seconds).toBeLessThan(1);
    }
    return texts.map((_, at) => [at + 1, 2, 3]);
  };
  const cutOver = new MockActivityEnvironment().run(world.activities.embed.cutOver, { ...request, drainSeconds: 60 });
  expect(await cutOver).toMatchObject({ kind: 'done' });
  expect(calls).toBe(2);
});
