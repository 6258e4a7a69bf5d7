import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import type { Embedder } from '../../src/contract/embedder.ts';
import { ReembedError } from '../../src/contract/errors.ts';
import type { RollBackActivityRequest, RollBackActivityResult } from '../../src/contract/reindex-activities.ts';
import { listAliases, setAlias } from '../../src/store/aliases.ts';
import { writeCopies } from '../../src/store/protocol/copy.ts';
import { cutOver } from '../../src/store/protocol/cut-over.ts';
import { collectTombstones } from '../../src/store/protocol/tombstones.ts';
import { content, createIndex, liveIds, lockIn, tombstone, uniqueName, write, writeIn } from '../store/builders.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { givenDependencies } from './dependencies.ts';

let database: TestDatabase;
let embed: Embedder['embed'] | undefined;
let activities: ReturnType<typeof createActivities>;

beforeAll(async () => {
  database = await openPostgresDatabase();
  activities = createActivities(givenDependencies(database.db, () => embed));
});
afterEach(() => {
  embed = undefined;
});
afterAll(() => database?.close());

/** An alias that was switched from blue, with one object, to green, and the request of the roll back. */
async function givenSwitched() {
  const { db } = database;
  const [blue, green] = [await createIndex(db), await createIndex(db)];
  const alias = uniqueName('alias');
  await setAlias(db, alias, blue.name);
  const { lock, mark } = await lockIn(db, alias, green.name);
  const mirror = { lock: randomUUID(), taskId: uniqueName('keeper'), lockSeconds: 60 };
  const switched = await cutOver(db, { lock, sourceNo: blue.no, destNo: green.no, mark, alias, mirror });
  const request: RollBackActivityRequest = {
    taskId: mirror.taskId,
    mirror: { lock: mirror.lock, lockSeconds: 60, sourceNo: green.no, destNo: blue.no, mark: 0 },
    ...{ nextLock: randomUUID(), aliases: null, drainSeconds: 5, by: null, reason: null },
  };
  if (switched.kind === 'done') request.mirror.mark = switched.mark;
  return { blue, green, alias, mirror, request };
}

const run = (request: RollBackActivityRequest): Promise<RollBackActivityResult> =>
  new MockActivityEnvironment().run(activities.embed.rollBack, request);

const servedBy = async (alias: string) =>
  (await listAliases(database.db)).find((row) => row.alias === alias)?.index ?? null;

test('a roll back copies what no forward has copied', async () => {
  const { db } = database;
  const { blue, green, alias, request } = await givenSwitched();
  await writeIn(db, green, [content('a', 1), content('b', 2)], { target: alias });
  expect(await run(request)).toMatchObject({ kind: 'done', report: { written: 2, deleted: 0 } });
  expect(await servedBy(alias)).toBe(blue.name);
  expect((await liveIds(db, blue.no)).sort()).toEqual(['a', 'b']);
});

test('a roll back that is executed again after its commit reports the same', async () => {
  const { alias, blue, request } = await givenSwitched();
  const first = await run(request);
  const again = await run(request);
  if (first.kind !== 'done' || again.kind !== 'done') throw new Error('not rolled back');
  expect(again.report).toEqual(first.report);
  expect(await servedBy(alias)).toBe(blue.name);
});

test('a roll back under load loses nothing that writers write meanwhile', async () => {
  const { db } = database;
  const { blue, green, alias, request } = await givenSwitched();
  const written: string[] = [];
  let isOver = false;
  const writer = (async () => {
    for (let version = 1; !isOver; version++) {
      let index = green;
      for (;;) {
        const outcome = await write(db, index, [content(`k${version}`, version)], { target: alias });
        if (outcome.kind === 'written') break;
        if (outcome.kind === 'moved') index = index === green ? blue : green;
        else await delay(5);
      }
      written.push(`k${version}`);
    }
  })();
  while (written.length < 20) await delay(5);
  expect(await run(request)).toMatchObject({ kind: 'done' });
  const before = written.length;
  while (written.length < before + 3) await delay(5);
  isOver = true;
  await writer;
  expect(await servedBy(alias)).toBe(blue.name);
  expect((await liveIds(db, blue.no)).sort()).toEqual([...written].sort());
});

test('a roll back does not wait for a model that does not answer, and changes nothing', async () => {
  const { db } = database;
  const { green, alias, request } = await givenSwitched();
  embed = async () => {
    throw new ReembedError('ModelUnavailable', 'the model is down');
  };
  await writeIn(db, green, [content('a', 1)], { target: alias });
  expect(await run(request)).toMatchObject({ kind: 'notCurrent', message: 'the model is down' });
  expect(await servedBy(alias)).toBe(green.name);
  expect(await write(db, green, [content('b', 2)], { target: alias })).toMatchObject({ kind: 'written' });
});

test('a roll back says which objects the old model rejects', async () => {
  const { db } = database;
  const { green, alias, request } = await givenSwitched();
  embed = async (texts) => {
    if (texts[0] !== 'hello') throw new ReembedError('ModelRejectedInput', 'not this');
    return texts.map(() => [1, 2, 3]);
  };
  await writeIn(db, green, [content('a', 1)], { target: alias });
  expect(await run(request)).toMatchObject({
    kind: 'notCurrent',
    message: expect.stringMatching(/^1 objects have no vectors in .*, for instance a/),
  });
  expect(await servedBy(alias)).toBe(green.name);
});

test('a roll back is refused once tombstones were removed while the mirror was away', async () => {
  const { db } = database;
  const { blue, green, alias, mirror, request } = await givenSwitched();
  await writeIn(db, green, [content('a', 1)], { target: alias });
  await writeCopies(db, mirror.lock, blue.no, [content('a', 1)]);
  await sql`
    update reembed.reindex_locks set lock_expire_time = now() - interval '2 days'
    where lock = ${mirror.lock}::uuid`.execute(db);
  await writeIn(db, green, [tombstone('a', 2)], { target: alias });
  expect(await collectTombstones(db, green.no, { retentionSeconds: -1, limit: 10 })).toBe(1);
  await expect(run(request)).rejects.toMatchObject({ type: 'LockLost' });
  expect(await servedBy(alias)).toBe(green.name);
});
