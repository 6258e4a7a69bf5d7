import { type RawBuilder, sql } from 'kysely';
import { NAME_WORDS, type NameKind } from '../../contract/databases.ts';
import { ReembedError } from '../../contract/errors.ts';
import { CATALOG_CLASS } from '../advisory-classes.ts';
import type { Db, Trx } from '../database.ts';

/** The right to create a name in a database other than the main one. */
export type Claim = string;

/** The claim of a name was revoked, because another database wanted the name, or there is none: claim it again. */
export class ClaimNeeded extends Error {
  constructor(name: string) {
    super(`the name ${name} needs a claim in this database`);
    this.name = 'ClaimNeeded';
  }
}

/** All names of a kind in a database. */
const NAMES: Readonly<Record<NameKind, RawBuilder<unknown>>> = {
  index: sql`select name from reembed.indexes union all select name from reembed.aliases`,
  source: sql`select name from reembed.sources`,
  'query-set': sql`select name from reembed.query_sets`,
};

/** Second keys of the locks under which names are created. */
const LOCK_NUMBERS: Readonly<Record<NameKind, number>> = { index: 0, source: 1, 'query-set': 2 };

/** Keeps others from creating names of a kind in this database until the end of the transaction. */
export async function lockKind(trx: Trx, kind: NameKind): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sql.lit(CATALOG_CLASS)}, ${sql.lit(LOCK_NUMBERS[kind])})`.execute(trx);
}

/** Returns those of some names that a database has. */
export async function ownNames(db: Db | Trx, kind: NameKind, names: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select name
    from (${NAMES[kind]}) own
    where name = any(${names}::text[])`.execute(db);
  return rows.map(({ name }) => name);
}

/** Returns true if a database has a name. */
export async function hasName(db: Db | Trx, kind: NameKind, name: string): Promise<boolean> {
  return (await ownNames(db, kind, [name])).length > 0;
}

/** Lists the names of a kind that a database has, in their order, after a name. */
export async function listNames(
  db: Db,
  kind: NameKind,
  { after, limit }: { after: string; limit: number },
): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select name
    from (${NAMES[kind]}) own
    where name collate "C" > ${after}
    order by name collate "C"
    limit ${limit}`.execute(db);
  return rows.map(({ name }) => name);
}

/**
 * Checks, before a name is created in this database, that no other database has it or can get it. A lock keeps this true
 * until the end of the transaction. Only the main database needs no claim. Errors: `NameTaken`,
 * `ClaimNeeded`.
 */
export async function requireOwnName(trx: Trx, kind: NameKind, name: string, claim: Claim | null): Promise<void> {
  await lockKind(trx, kind);
  if (claim !== null) {
    const { rows } = await sql`select from reembed.revoked_claims where claim = ${claim}::uuid`.execute(trx);
    if (rows.length > 0) throw new ClaimNeeded(name);
    return;
  }
  const { rows } = await sql<{ own: string | null; database: string | null }>`
    select identity.name as own, placements.database
    from reembed.database_identity identity
    left join reembed.placements on kind = ${kind} and placements.name = ${name}`.execute(trx);
  const { own = null, database = null } = rows[0] ?? {};
  if (own !== null) throw new ClaimNeeded(name);
  if (database !== null) throw nameTaken(kind, name, database);
}

/** Creates the error of a name that another database has. */
export function nameTaken(kind: NameKind, name: string, database: string): ReembedError {
  return new ReembedError('NameTaken', `the database ${database} has the ${NAME_WORDS[kind]} ${name}`);
}
