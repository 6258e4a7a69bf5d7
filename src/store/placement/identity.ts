import { sql } from 'kysely';
import { ReembedError } from '../../contract/errors.ts';
import { type Db, transaction } from '../database.ts';

interface Identity {
  id: string | null;
  name: string | null;
  mainId: string | null;
  /** The other databases that have names of this system. */
  databases: string[];
}

async function readIdentity(db: Db): Promise<Identity> {
  const { rows } = await sql<Identity>`
    select id, name, main_id as "mainId",
      array(select distinct database from reembed.placements order by database) as databases
    from reembed.database_identity`.execute(db);
  return rows[0] as Identity;
}

/** Makes the main database one to which others can belong. Error: `InvalidSetting` if it belongs to another one itself. */
export async function markMain(main: Db): Promise<void> {
  await sql`
    update reembed.database_identity
    set id = gen_random_uuid()
    where id is null and name is null`.execute(main);
  await requireMain(main, null);
}

/** Records under which name a database belongs to a main one. Error: `InvalidSetting` if it belongs elsewhere already. */
export async function markNamed(main: Db, db: Db, name: string): Promise<void> {
  const { id: mainId } = await readIdentity(main);
  await transaction(db, async (trx) => {
    await sql`
      update reembed.database_identity
      set name = ${name}, main_id = ${mainId}::uuid
      where id is null and name is null
        and not exists (select from reembed.placements)`.execute(trx);
  });
  await requireNamed(main, db, name);
}

/**
 * Checks that the database of `DATABASE_URL` is a main one, and that the others with names of its system are known;
 * null: all may be. Error: `InvalidSetting`.
 */
export async function requireMain(main: Db, known: readonly string[] | null): Promise<void> {
  const { name, databases } = await readIdentity(main);
  if (name !== null) {
    throw new ReembedError('InvalidSetting', `DATABASE_URL names the database ${name} of another system of reembed`);
  }
  const unknown = known === null ? [] : databases.filter((database) => !known.includes(database));
  if (unknown.length === 0) return;
  throw new ReembedError(
    'InvalidSetting',
    `REEMBED_DATABASES must name ${unknown.join(' and ')}: indexes of this system are there`,
  );
}

/** Checks that a database is the one that has this name in the system of a main one. Error: `InvalidSetting`. */
export async function requireNamed(main: Db, db: Db, name: string): Promise<void> {
  const [{ id: mainId }, own] = await Promise.all([readIdentity(main), readIdentity(db)]);
  if (mainId !== null && own.name === name && own.mainId === mainId) return;
  const what = `the database ${name} of REEMBED_DATABASES`;
  if (own.id !== null) {
    const which = own.id === mainId ? 'is that of DATABASE_URL' : 'is the main database of another system of reembed';
    throw new ReembedError('InvalidSetting', `${what} ${which}: it must be another one`);
  }
  if (own.name === null) {
    throw new ReembedError(
      'InvalidSetting',
      `${what} does not belong to this system yet: run \`reembed migrate\` first`,
    );
  }
  const where = own.mainId === mainId ? 'of this system' : 'of another system of reembed';
  throw new ReembedError('InvalidSetting', `${what} is the database ${own.name} ${where} already`);
}
