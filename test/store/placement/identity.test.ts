import { afterEach, describe, expect, test } from 'vitest';
import { transaction } from '../../../src/store/database.ts';
import { ensureIndex } from '../../../src/store/indexes.ts';
import { Directory } from '../../../src/store/placement/directory.ts';
import { markMain, markNamed, requireMain, requireNamed } from '../../../src/store/placement/identity.ts';
import { openPostgresDatabase, type TestDatabase } from '../../support/databases.ts';
import { indexConfig, uniqueName } from '../builders.ts';

const opened: TestDatabase[] = [];
afterEach(() => Promise.all(opened.splice(0).map((one) => one.close())));

async function open() {
  const database = await openPostgresDatabase();
  opened.push(database);
  return database.db;
}

describe('a database', () => {
  test('belongs to its main database under one name, however often that is recorded', async () => {
    const [main, east] = [await open(), await open()];
    await expect(requireNamed(main, east, 'east')).rejects.toThrow('run `reembed migrate` first');
    for (let time = 0; time < 2; time++) {
      await markMain(main);
      await markNamed(main, east, 'east');
    }
    await requireMain(main, ['east']);
    await requireNamed(main, east, 'east');
    await expect(requireNamed(main, east, 'west')).rejects.toThrow('is the database east of this system already');
    await expect(markNamed(main, east, 'west')).rejects.toThrow('is the database east of this system already');
  });

  test('cannot be two databases of a system, or of two systems', async () => {
    const [main, other, east] = [await open(), await open(), await open()];
    await markMain(main);
    await markMain(other);
    await markNamed(main, east, 'east');
    await expect(markNamed(main, main, 'west')).rejects.toThrow('is that of DATABASE_URL');
    await expect(markNamed(main, other, 'west')).rejects.toThrow('is the main database of another system');
    await expect(markNamed(other, east, 'east')).rejects.toThrow('of another system of reembed already');
    await expect(markMain(east)).rejects.toThrow('DATABASE_URL names the database east of another system');
    await expect(requireMain(east, [])).rejects.toThrow('DATABASE_URL names the database east of another system');
  });

  test('that holds names of a system cannot be left out of it', async () => {
    const [main, east] = [await open(), await open()];
    await markMain(main);
    await markNamed(main, east, 'east');
    await requireMain(main, []);
    const directory = new Directory(
      new Map([
        ['main', main],
        ['east', east],
      ]),
    );
    const name = uniqueName('placed');
    await directory
      .namesOf('east')
      .under('index', name, (claim) => transaction(east, (trx) => ensureIndex(trx, name, indexConfig(), { claim })));
    await expect(requireMain(main, [])).rejects.toThrow('REEMBED_DATABASES must name east');
    await requireMain(main, ['east', 'west']);
  });
});
