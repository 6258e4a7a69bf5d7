import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { expect, it, vi } from 'vitest';
import { setAlias } from '../../../src/store/aliases.ts';
import type { Db } from '../../../src/store/database.ts';
import { resolveIndex } from '../../../src/store/indexes.ts';
import { markChanges, writeCopies } from '../../../src/store/protocol/copy.ts';
import { type CutOver, cutOver } from '../../../src/store/protocol/cut-over.ts';
import { endDraining, prolongDraining, setDraining } from '../../../src/store/protocol/draining.ts';
import { listLocks, requireLock } from '../../../src/store/protocol/locks.ts';
import { onBothDatabases } from '../../support/databases.ts';
import {
  content,
  createIndex,
  expireLock,
  failure,
  lockIn,
  rowsOf,
  tombstone,
  uniqueName,
  write,
  writeIn,
} from '../builders.ts';

/** A reindex of what an alias serves, locked and with nothing copied. */
async function lockedReindex(db: Db, over: { alias?: string } = {}) {
  const [source, dest] = [await createIndex(db), await createIndex(db)];
  const alias = uniqueName('alias');
  await setAlias(db, alias, source.name);
  const { lock, taskId, mark } = await lockIn(db, alias, dest.name, over);
  const step: CutOver = { lock, sourceNo: source.no, destNo: dest.no, mark, alias: over.alias ?? alias, mirror: null };
  return { source, dest, alias, lock, taskId, step };
}

onBothDatabases((database) => {
  it.each([
    ['lacks an object', content('a', 1), []],
    ['has an object older', content('a', 2), [content('a', 1)]],
    ['lacks a tombstone', tombstone('a', 2), []],
    ['still has what was deleted', tombstone('a', 2), [content('a', 1)]],
  ])('a cut-over is refused while the destination %s', async (_what, written, copied) => {
    const { db } = database();
    const { source, dest, alias, lock, step } = await lockedReindex(db);
    await writeIn(db, source, [written]);
    await writeCopies(db, lock, dest.no, copied);
    expect(await cutOver(db, step)).toEqual({ kind: 'behind', objects: 1 });
    expect((await resolveIndex(db, alias)).no).toBe(source.no);
    await writeCopies(db, lock, dest.no, [written]);
    expect(await cutOver(db, step)).toMatchObject({ kind: 'done' });
    expect((await resolveIndex(db, alias)).no).toBe(dest.no);
  });

  it('a cut-over is refused while no object of the destination has vectors, even if the source has none', async () => {
    const { db } = database();
    const { source, dest, alias, lock, step } = await lockedReindex(db);
    await writeIn(db, source, [failure('a', 1)]);
    await writeCopies(db, lock, dest.no, [failure('a', 1)]);
    await expect(cutOver(db, step)).rejects.toMatchObject({ type: 'TooManyFailed' });
    expect((await resolveIndex(db, alias)).no).toBe(source.no);
  });

  it('a repeated cut-over answers done and changes nothing', async () => {
    const { db } = database();
    const { dest, alias, step } = await lockedReindex(db);
    await cutOver(db, step);
    await writeIn(db, dest, [content('a', 1)], { target: alias });
    expect(await cutOver(db, step)).toMatchObject({ kind: 'done' });
    expect((await resolveIndex(db, alias)).no).toBe(dest.no);
  });

  it('a cut-over sends writers that embedded for the old index to the new one', async () => {
    const { db } = database();
    const { source, dest, alias, step } = await lockedReindex(db);
    await cutOver(db, step);
    expect(await write(db, source, [content('a', 1)], { target: alias })).toEqual({ kind: 'moved' });
    expect(await writeIn(db, dest, [content('a', 1)], { target: alias })).toMatchObject({ forwardTo: null });
    expect((await listLocks(db)).some(({ sourceNo }) => sourceNo === source.no)).toBe(false);
  });

  it('a cut-over is refused when the alias was pointed elsewhere, and leaves the lock', async () => {
    const { db } = database();
    const { source, alias, lock, step } = await lockedReindex(db);
    const other = await createIndex(db);
    await sql`update reembed.aliases set index_no = ${other.no} where name = ${alias}`.execute(db);
    await expect(cutOver(db, step)).rejects.toMatchObject({ type: 'ReindexConflict' });
    expect((await listLocks(db)).find(({ sourceNo }) => sourceNo === source.no)).toMatchObject({ lock });
  });

  it('a cut-over creates a new alias, unless an index of that name was created in between', async () => {
    const { db } = database();
    const name = uniqueName('new');
    const { dest, step } = await lockedReindex(db, { alias: name });
    await cutOver(db, step);
    expect((await resolveIndex(db, name)).no).toBe(dest.no);

    const taken = uniqueName('taken');
    const second = await lockedReindex(db, { alias: taken });
    const index = await createIndex(db, { name: taken });
    await expect(cutOver(db, second.step)).rejects.toMatchObject({ type: 'ReindexConflict' });
    expect((await resolveIndex(db, taken)).no).toBe(index.no);
  });

  it('a cut-over without an alias only releases the lock', async () => {
    const { db } = database();
    const { source, alias, step } = await lockedReindex(db);
    expect(await cutOver(db, { ...step, alias: null })).toMatchObject({ kind: 'done' });
    expect((await resolveIndex(db, alias)).no).toBe(source.no);
    expect((await listLocks(db)).some(({ sourceNo }) => sourceNo === source.no)).toBe(false);
  });

  it('a cut-over with a mirror has writes forwarded to the old index, also with onReindex refuse', async () => {
    const { db } = database();
    const { source, dest, alias, taskId, step } = await lockedReindex(db);
    const mirror = { lock: randomUUID(), taskId, lockSeconds: 60 };
    const done = await cutOver(db, { ...step, mirror });
    expect(await cutOver(db, { ...step, mirror })).toMatchObject({ kind: 'done' });
    const outcome = await writeIn(db, dest, [content('a', 1)], { target: alias, onReindex: 'refuse' });
    expect(outcome.forwardTo).toEqual({ indexNo: source.no, lock: mirror.lock });
    await writeCopies(db, mirror.lock, source.no, [content('a', 1)]);
    expect(await rowsOf(db, source.no)).toMatchObject([{ id: 'a', version: 1 }]);
    expect(done).toMatchObject({ kind: 'done', mark: expect.any(Number) });
  });

  it('draining blocks writers no longer than announced, whichever process dies', async () => {
    const { db } = database();
    const { source, alias, lock } = await lockedReindex(db);
    const tryWrite = () => write(db, source, [content('a', 1)], { target: alias });
    await setDraining(db, lock, 1);
    expect(await tryWrite()).toEqual({ kind: 'draining' });
    expect(await requireLock(db, lock)).toMatchObject({ draining: true });
    await vi.waitFor(async () => expect(await tryWrite()).toMatchObject({ kind: 'written' }), 90_000);
    expect(await requireLock(db, lock)).toMatchObject({ draining: false });
  });

  it('draining can be prolonged, unless its writers were released', async () => {
    const { db } = database();
    const { source, alias, lock } = await lockedReindex(db);
    const tryWrite = () => write(db, source, [content('a', 1)], { target: alias });
    const untilLapsed = () =>
      vi.waitFor(async () => expect(await requireLock(db, lock)).toMatchObject({ draining: false }), 90_000);
    await setDraining(db, lock, 0.05);
    await untilLapsed();
    await prolongDraining(db, lock, 60);
    expect(await tryWrite()).toEqual({ kind: 'draining' });
    await endDraining(db, lock);
    await prolongDraining(db, lock, 60);
    expect(await tryWrite()).toMatchObject({ kind: 'written' });
    await prolongDraining(db, randomUUID(), 60);
  });

  it('draining blocks writers until they are released, the lock expires, or the switch is done', async () => {
    const { db } = database();
    const { source, alias, lock, step } = await lockedReindex(db);
    const tryWrite = (version: number) => write(db, source, [content('a', version)], { target: alias });
    await setDraining(db, lock, 60);
    expect(await tryWrite(1)).toEqual({ kind: 'draining' });
    await endDraining(db, lock);
    expect(await tryWrite(1)).toMatchObject({ kind: 'written' });
    await setDraining(db, lock, 60);
    await expireLock(db, lock);
    expect(await tryWrite(2)).toMatchObject({ kind: 'written' });
    expect(await cutOver(db, step)).toEqual({ kind: 'behind', objects: 1 });
    await writeCopies(db, lock, step.destNo, [content('a', 2)]);
    expect(await cutOver(db, { ...step, mark: await markChanges(db, source.no) })).toMatchObject({ kind: 'done' });
    expect(await tryWrite(3)).toEqual({ kind: 'moved' });
  });
});
