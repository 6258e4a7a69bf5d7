import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { deleteAlias, listAliases, setAlias } from '../../src/store/aliases.ts';
import { markChanges, writeCopies } from '../../src/store/protocol/copy.ts';
import { cutOver } from '../../src/store/protocol/cut-over.ts';
import { onBothDatabases } from '../support/databases.ts';
import { content, createIndex, expireLock, lockIn, uniqueName, write, writeIn } from './builders.ts';

onBothDatabases((database, name) => {
  it('an alias can be moved, and a write embedded for the old index is told so', async () => {
    const { db } = database();
    const [first, second] = [await createIndex(db), await createIndex(db)];
    const alias = uniqueName('alias');
    await setAlias(db, alias, first.name);
    await setAlias(db, alias, second.name);
    await setAlias(db, alias, second.name);
    expect(await listAliases(db)).toContainEqual({ alias, index: second.name });
    expect(await write(db, first, [content('a', 1)], { target: alias })).toEqual({ kind: 'moved' });
  });

  it('an alias is not touched by hand while its index is being rebuilt', async () => {
    const { db } = database();
    const [source, dest, other] = [await createIndex(db), await createIndex(db), await createIndex(db)];
    const alias = uniqueName('alias');
    await setAlias(db, alias, source.name);
    await lockIn(db, alias, dest.name);
    await expect(setAlias(db, alias, other.name)).rejects.toMatchObject({ type: 'IndexLocked' });
    await expect(setAlias(db, uniqueName('alias'), dest.name)).rejects.toMatchObject({ type: 'IndexLocked' });
    await expect(deleteAlias(db, alias)).rejects.toMatchObject({ type: 'IndexLocked' });
  });

  it('an alias that is gone or never was can not be deleted, nor one be pointed to nothing', async () => {
    const { db } = database();
    const index = await createIndex(db);
    const alias = uniqueName('alias');
    await setAlias(db, alias, index.name);
    await deleteAlias(db, alias);
    await expect(deleteAlias(db, alias)).rejects.toMatchObject({ type: 'AliasNotFound' });
    await expect(setAlias(db, alias, 'nothing')).rejects.toMatchObject({ type: 'IndexNotFound' });
  });

  it('rolling back to a retired index that is kept current is one switch, once it has all that was written', async () => {
    const { db } = database();
    const [blue, green] = [await createIndex(db), await createIndex(db)];
    const alias = uniqueName('alias');
    await setAlias(db, alias, blue.name);
    const { lock, taskId, mark } = await lockIn(db, alias, green.name);
    const mirror = { lock: randomUUID(), taskId, lockSeconds: 60 };
    await cutOver(db, { lock, sourceNo: blue.no, destNo: green.no, mark, alias, mirror });

    const written = await writeIn(db, green, [content('a', 1)], { target: alias });
    expect(written.forwardTo).toEqual({ indexNo: blue.no, lock: mirror.lock });
    await expect(setAlias(db, alias, blue.name)).rejects.toMatchObject({ type: 'NotCurrent' });
    await writeCopies(db, mirror.lock, blue.no, [content('a', 1)]);
    expect(await setAlias(db, alias, blue.name)).toEqual({ alias, index: blue.name });
    expect(await writeIn(db, blue, [content('b', 2)], { target: alias })).toMatchObject({ forwardTo: null });
  });

  it('rolling back loses nothing when what kept the retired index current has stopped long ago', async () => {
    const { db } = database();
    const [blue, green] = [await createIndex(db), await createIndex(db)];
    const alias = uniqueName('alias');
    await setAlias(db, alias, blue.name);
    const { lock, taskId, mark } = await lockIn(db, alias, green.name);
    const mirror = { lock: randomUUID(), taskId, lockSeconds: 60 };
    await cutOver(db, { lock, sourceNo: blue.no, destNo: green.no, mark, alias, mirror });
    await expireLock(db, mirror.lock);
    await writeIn(db, green, [content('a', 1)], { target: alias });
    await expect(setAlias(db, alias, blue.name)).rejects.toMatchObject({ type: 'NotCurrent' });
    await writeCopies(db, mirror.lock, blue.no, [content('a', 1)]);
    expect(await setAlias(db, alias, blue.name)).toEqual({ alias, index: blue.name });
    await expect(writeCopies(db, mirror.lock, blue.no, [])).rejects.toMatchObject({ type: 'LockLost' });
  });

  // The other database has one connection, which is in use where this writes.
  it.skipIf(name === 'pglite')(
    'rolling back compares whole indexes before it stops writers, and again only what was written since',
    async () => {
      const { db } = database();
      const [blue, green] = [await createIndex(db), await createIndex(db)];
      const alias = uniqueName('alias');
      await setAlias(db, alias, blue.name);
      await writeIn(db, blue, [content('a', 1)], { target: alias });
      const { lock, taskId } = await lockIn(db, alias, green.name);
      await writeCopies(db, lock, green.no, [content('a', 1)]);
      const mark = await markChanges(db, blue.no);
      const mirror = { lock: randomUUID(), taskId, lockSeconds: 60 };
      await cutOver(db, { lock, sourceNo: blue.no, destNo: green.no, mark, alias, mirror });

      const before = await markChanges(db, green.no);
      const marks: number[] = [];
      let late: (() => Promise<unknown>) | undefined = () => writeIn(db, green, [content('b', 2)], { target: alias });
      const watched = db.withPlugin({
        transformQuery({ node }) {
          const { sql: statement, parameters } = db.getExecutor().compileQuery(node, { queryId: 'compare' });
          if (/count\(\*\) as objects/.test(statement)) marks.push(Number(parameters.at(-1)));
          return node;
        },
        transformResult: async ({ result }) => {
          const write = marks.length === 1 ? late : undefined;
          if (write) late = undefined;
          await write?.();
          return result;
        },
      });
      await expect(setAlias(watched, alias, blue.name)).rejects.toMatchObject({ type: 'NotCurrent' });
      expect(marks).toEqual([0, before]);
    },
  );
});
