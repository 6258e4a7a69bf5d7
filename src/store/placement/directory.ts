import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { MAIN_DATABASE, NAME_KINDS, type NameKind } from '../../contract/databases.ts';
import { ReembedError } from '../../contract/errors.ts';
import { type Db, transaction } from '../database.ts';
import { isConnectionError } from '../sqlstate.ts';
import { type Claim, ClaimNeeded, hasName, listNames, lockKind, nameTaken, ownNames } from './names.ts';

/** Creates names in one database. */
export interface Names {
  /** Name of the database. */
  database: string;
  /** Runs `create` with the claim that it must check by `requireOwnName`; null in the main database. */
  under<T>(kind: NameKind, name: string, create: (claim: Claim | null) => Promise<T>): Promise<T>;
}

/** Names of a system with one database, where `requireOwnName` is enough. */
export const ONLY_NAMES: Names = { database: MAIN_DATABASE, under: (_kind, _name, create) => create(null) };

interface Placement {
  kind: NameKind;
  name: string;
  database: string;
  claim: Claim;
}

const TRIES = 5;
const PAGE = 1_000;
/** Far longer than a creation can take from its claim to its end. */
const REVOKED_DAYS = 1;

/**
 * Makes names unique over all databases of a system. The main database has a row for each name that another database
 * holds; its own names need none. A row is written before its name is created, and stays when the name is deleted: a row
 * without a name does no harm, and is taken back when another database wants the name. Then its claim is revoked in its
 * database, in a transaction that sees that the name is not there, so that a creation under this claim which comes late
 * fails.
 */
export class Directory {
  readonly #databases: ReadonlyMap<string, Db>;
  readonly #main: Db;

  /** Takes all databases by name, the main one included. */
  constructor(databases: ReadonlyMap<string, Db>) {
    this.#databases = databases;
    this.#main = databases.get(MAIN_DATABASE) as Db;
  }

  /** Returns what creates names in a database. */
  namesOf(database: string): Names {
    if (this.#databases.size === 1) return ONLY_NAMES;
    return { database, under: (kind, name, create) => this.#under({ kind, name, database }, create) };
  }

  /** Returns the other database that holds a name, or may get it; undefined if there is none. */
  async databaseOf(kind: NameKind, name: string): Promise<string | undefined> {
    return (await this.#find(kind, name))?.database;
  }

  /** Takes back the rows of a database whose names are gone; returns their number. */
  async prune(database: string, signal?: AbortSignal): Promise<number> {
    let pruned = 0;
    for (const kind of NAME_KINDS) {
      for (let after = ''; ; ) {
        signal?.throwIfAborted();
        const placed = await this.#list(database, kind, after);
        const own = new Set(
          await ownNames(
            this.#require(database),
            kind,
            placed.map(({ name }) => name),
          ),
        );
        for (const one of placed) if (!own.has(one.name) && (await this.#takeBack(one))) pruned++;
        if (placed.length < PAGE) break;
        after = placed.at(-1)?.name ?? after;
      }
    }
    return pruned;
  }

  /**
   * Gives each name that a database already has its row. Returns the names that another database has too; these get
   * none.
   */
  async adopt(database: string): Promise<{ kind: NameKind; name: string; database: string }[]> {
    const taken: { kind: NameKind; name: string; database: string }[] = [];
    for (const kind of NAME_KINDS) {
      for (let after = ''; ; ) {
        const names = await listNames(this.#require(database), kind, { after, limit: PAGE });
        for (const name of names) {
          try {
            await this.#claim({ kind, name, database });
          } catch (error) {
            if (!(error instanceof ReembedError) || error.type !== 'NameTaken') throw error;
            taken.push({ kind, name, database: (await this.databaseOf(kind, name)) ?? MAIN_DATABASE });
          }
        }
        if (names.length < PAGE) break;
        after = names.at(-1) ?? after;
      }
    }
    return taken;
  }

  async #under<T>(wanted: Omit<Placement, 'claim'>, create: (claim: Claim | null) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const claim = await this.#claim(wanted);
      try {
        return await create(claim);
      } catch (error) {
        if (!(error instanceof ClaimNeeded) || claim === null) throw error;
        // It is good for nothing, and a crash may have left it.
        await this.#forget(claim);
        if (attempt === TRIES) {
          throw new ReembedError('NameTaken', `others create and delete ${wanted.name} too: try again`, {
            cause: error,
          });
        }
      }
    }
  }

  /** Errors: `NameTaken` by another database, `DatabaseUnavailable` if that cannot be asked. */
  async #claim({ kind, name, database }: Omit<Placement, 'claim'>): Promise<Claim | null> {
    for (let attempt = 1; ; attempt++) {
      const placed = await this.#find(kind, name);
      if (placed && placed.database !== database) {
        const isFree = await this.#takeBack(placed);
        if (isFree && attempt < TRIES) continue;
        throw nameTaken(kind, name, placed.database);
      }
      if (database === MAIN_DATABASE) return null;
      if (placed) return placed.claim;
      const claim = randomUUID();
      if (await this.#insert({ kind, name, database, claim })) return claim;
    }
  }

  /** Returns false if the name has a row by now. Error: `NameTaken` by the main database. */
  #insert({ kind, name, database, claim }: Placement): Promise<boolean> {
    return transaction(this.#main, async (trx) => {
      await lockKind(trx, kind);
      if (await hasName(trx, kind, name)) throw nameTaken(kind, name, MAIN_DATABASE);
      const { rows } = await sql`
        insert into reembed.placements (kind, name, database, claim)
        values (${kind}, ${name}, ${database}, ${claim}::uuid)
        on conflict do nothing
        returning claim`.execute(trx);
      return rows.length > 0;
    });
  }

  /** Removes a row unless its database has the name. Returns whether it was removed. */
  async #takeBack({ kind, name, database, claim }: Placement): Promise<boolean> {
    const db = this.#require(database);
    try {
      const isRevoked = await transaction(db, async (trx) => {
        await lockKind(trx, kind);
        if (await hasName(trx, kind, name)) return false;
        await sql`
          delete from reembed.revoked_claims
          where revoke_time < now() - make_interval(days => ${sql.lit(REVOKED_DAYS)})`.execute(trx);
        await sql`
          insert into reembed.revoked_claims (claim)
          values (${claim}::uuid)
          on conflict do nothing`.execute(trx);
        return true;
      });
      if (!isRevoked) return false;
    } catch (error) {
      throw asAway(error, database);
    }
    await this.#forget(claim);
    return true;
  }

  async #forget(claim: Claim): Promise<void> {
    await sql`delete from reembed.placements where claim = ${claim}::uuid`.execute(this.#main);
  }

  async #find(kind: NameKind, name: string): Promise<Placement | undefined> {
    try {
      const { rows } = await sql<Placement>`
        select kind, name, database, claim
        from reembed.placements
        where kind = ${kind} and name = ${name}`.execute(this.#main);
      return rows[0];
    } catch (error) {
      throw asAway(error, MAIN_DATABASE);
    }
  }

  async #list(database: string, kind: NameKind, after: string): Promise<Placement[]> {
    const { rows } = await sql<Placement>`
      select kind, name, database, claim
      from reembed.placements
      where database = ${database} and kind = ${kind} and name > ${after}
      order by name
      limit ${PAGE}`.execute(this.#main);
    return rows;
  }

  #require(database: string): Db {
    const db = this.#databases.get(database);
    if (db) return db;
    throw new ReembedError(
      'InvalidSetting',
      `REEMBED_DATABASES does not name the database ${database}, which has names of this system`,
    );
  }
}

/** Names the database in the error of one that does not answer. */
export function asAway(error: unknown, database: string): unknown {
  if (!isConnectionError(error)) return error;
  return new ReembedError('DatabaseUnavailable', `the database ${database} does not answer`, { cause: error });
}
