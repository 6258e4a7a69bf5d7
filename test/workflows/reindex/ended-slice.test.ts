import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { resolveIndex } from '../../../src/store/indexes.ts';
import { listLocks } from '../../../src/store/protocol/locks.ts';
import { hasAtMost } from '../../../src/store/protocol/slices.ts';
import { endOf, givenIndex, trackerWhen } from '../../support/rig.ts';
import { rigOfFile } from '../../support/rig-of-file.ts';

const destModel = { provider: 'hash', name: 'hash-v1', dimensions: 16 } as const;

describe('a reindex of which somebody ends a slice by hand', () => {
  const given = rigOfFile('dev');

  test.each<[how: string, type: string, end: (slice: WorkflowHandle) => Promise<unknown>]>([
    ['sets it aside', 'SliceEnded', (slice) => slice.signal('ignore', 'not this one')],
    ['cancels it', 'CancelledFailure', (slice) => slice.signal('cancel', 'not this one')],
    ['cancels it in Temporal', 'CancelledFailure', (slice) => slice.cancel()],
    ['terminates it', 'TerminatedFailure', (slice) => slice.terminate('not this one')],
  ])('copies the rest in its next attempt (%s)', async (how, type, end) => {
    const name = how.replaceAll(' ', '-').toLowerCase();
    await givenIndex(given.rig.db, name, { alias: `${name}-alias` });
    const items = Array.from({ length: 40 }, (_, at) => ({ id: `k${at}`, payload: `text ${at}` }));
    await given.rig.run('upsert', { index: name, items });
    const slow = { ratePerSecond: 0.5, batchSize: 1, concurrency: 1 };
    const handle = await given.rig.start(
      'reindex',
      { source: `${name}-alias`, dest: `${name}-2`, destModel, ...slow },
      name,
    );
    await trackerWhen(handle, ({ children }) => children.processing === 1);
    await end(given.rig.client.workflow.getHandle(`${name}/1/1`));
    const failed = await trackerWhen(handle, ({ status }) => status === 'failed');
    expect(failed.errors).toMatchObject([{ type }]);
    expect(failed.children.done ?? 0).toBe(0);
    await handle.signal('throttle', null);
    await handle.signal('restart');
    expect(await endOf(handle)).toMatchObject({ status: 'done', attempts: 2, progress: { done: 40, total: 40 } });
    const built = await resolveIndex(given.rig.db, `${name}-alias`);
    expect(built.name).toBe(`${name}-2`);
    expect(await hasAtMost(given.rig.db, built.no, 39)).toBe(false);
    expect(await listLocks(given.rig.db)).toEqual([]);
  });
});
