import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Db } from '../../../src/store/database.ts';
import { markChanges, readBehind, writeCopies } from '../../../src/store/protocol/copy.ts';
import { compareIndexes } from '../../../src/store/protocol/verify.ts';
import { CITUS_WORKERS, createOnCluster, dropOnCluster, openOnCluster } from '../../support/citus.ts';
import { type CuttingProxy, startCuttingProxy } from '../../support/cutting-proxy.ts';
import { content, createIndex, liveIds, lockIn, rowsOf, tombstone, writeIn } from '../builders.ts';

const OBJECTS = 8;
const TRIES = 20;

describe.skipIf(CITUS_WORKERS.length === 0)('a commit that does not reach a node', () => {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  let proxy: CuttingProxy;
  let db: Db;

  beforeAll(async () => {
    proxy = await startCuttingProxy(CITUS_WORKERS[0] as string);
    db = await openOnCluster(
      await createOnCluster(inject('postgresUrl'), name, [proxy.node, ...CITUS_WORKERS.slice(1)]),
    );
  });
  afterAll(async () => {
    proxy?.set('nothing');
    await db?.destroy();
    await dropOnCluster(inject('postgresUrl'), name);
    await proxy?.close();
  });

  /** Writes until some of the writes are acknowledged but not visible; Citus may recover them at any moment. */
  async function untilUnseen(write: (round: number) => Promise<{ isUnseen: boolean }>): Promise<number> {
    for (let round = 0; round < TRIES; round++) {
      proxy.set('cutCommits');
      const before = proxy.cuts;
      const { isUnseen } = await write(round).finally(() => proxy.set('nothing'));
      if (isUnseen && proxy.cuts > before) return round;
    }
    throw new Error('no commit was held up: the coordinator must connect to its nodes with sslmode=prefer');
  }

  const recover = () => sql`select recover_prepared_transactions()`.execute(db);

  it('is lost by no reindex: once a gate was held, every write that was acknowledged is there', async () => {
    const [source, dest] = [await createIndex(db), await createIndex(db)];
    const written: string[] = [];
    await untilUnseen(async (round) => {
      const ids = Array.from({ length: OBJECTS }, (_, at) => `${round}-${at}`);
      await writeIn(
        db,
        source,
        ids.map((id, at) => content(id, round * OBJECTS + at + 1)),
      );
      written.push(...ids);
      return { isUnseen: (await rowsOf(db, source.no)).length < written.length };
    });
    const { lock } = await lockIn(db, source.name, dest.name);
    const pair = { sourceNo: source.no, destNo: dest.no };
    const mark = await markChanges(db, source.no);
    const { objects } = await readBehind(db, pair, { after: null, until: null }, 1_000);
    await writeCopies(
      db,
      lock,
      dest.no,
      objects.map(({ id, version }) => content(id, version)),
    );
    expect(await compareIndexes(db, pair, mark)).toMatchObject({ behind: 0, ahead: 0 });
    await recover();
    expect((await liveIds(db, dest.no)).sort()).toEqual(written.sort());
  });

  it('leaves no derived object behind: a deletion of its original that was acknowledged counts', async () => {
    const index = await createIndex(db);
    let last = 0;
    const round = await untilUnseen(async (at) => {
      const originals = Array.from({ length: OBJECTS }, (_, number) => `${at}-${number}`);
      proxy.set('nothing');
      await writeIn(
        db,
        index,
        originals.map((id) => content(id, ++last)),
      );
      proxy.set('cutCommits');
      const version = ++last;
      await writeIn(
        db,
        index,
        originals.map((id) => tombstone(id, version)),
      );
      const live = await liveIds(db, index.no);
      return { isUnseen: originals.some((id) => live.includes(id)) };
    });
    const derived = Array.from({ length: OBJECTS }, (_, number) =>
      content(`derived-${number}`, 1, { originalId: `${round}-${number}` }),
    );
    await writeIn(db, index, derived);
    await recover();
    expect(await liveIds(db, index.no)).toEqual([]);
  });

  it('holds a switch back while its node does not answer', async () => {
    const index = await createIndex(db);
    await writeIn(db, index, [content('a', 1)]);
    proxy.set('refuse');
    try {
      await expect(markChanges(db, index.no)).rejects.toMatchObject({ type: 'DatabaseUnavailable' });
    } finally {
      proxy.set('nothing');
    }
    expect(await markChanges(db, index.no)).toBeGreaterThan(0);
  });
});
