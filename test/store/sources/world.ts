import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import pg from 'pg';
import { type Db, transaction } from '../../../src/store/database.ts';
import { outboxOf } from '../../../src/store/sources/names.ts';
import type { ResolvedSource } from '../../../src/store/sources/resolved.ts';
import { installSql, type TriggerSource } from '../../../src/store/sources/triggers.ts';

let last = 0;

/** A source of a table that exists, with the key `id int` and the content `body` unless others are given. */
export async function triggerSource(
  db: Db,
  name: string,
  over: Partial<Pick<ResolvedSource, 'key' | 'content'>> & { schema?: string } = {},
): Promise<TriggerSource> {
  const { schema = 'public', key = [{ name: 'id', type: 'integer' }], content = ['body'] } = over;
  const named = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
  const { rows } = await sql<{ schema: string; name: string; oid: string; kind: string; root: boolean }>`
    select n.nspname as schema, c.relname as name, c.oid::text as oid, c.relkind as kind, c.oid = ${named}::regclass as root
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.oid = ${named}::regclass or c.oid in (select relid from pg_partition_tree(${named}::regclass))
    order by root desc, c.oid`.execute(db);
  const [root, ...below] = rows;
  if (root === undefined) throw new Error(`there is no table ${name}`);
  last += 1;
  return {
    no: last,
    marker: randomUUID(),
    table: {
      schema,
      name,
      oid: root.oid,
      partitions: root.kind === 'p' ? below.map(({ schema, name, oid }) => ({ schema, name, oid })) : null,
    },
    key,
    content,
  };
}

export async function run(db: Db, statements: readonly string[]): Promise<void> {
  await transaction(db, async (trx) => {
    for (const statement of statements) await sql.raw(statement).execute(trx);
  });
}

/** Makes the triggers of a source, and returns it. */
export async function follow(db: Db, name: string, over?: Parameters<typeof triggerSource>[2]): Promise<TriggerSource> {
  const source = await triggerSource(db, name, over);
  await run(db, installSql(source, { hasSchema: true }));
  return source;
}

/** Takes all changes out of an outbox: keys of one column as their text, others as they are, and other kinds by name. */
export async function takeChanges(db: Db, source: Pick<TriggerSource, 'no'>): Promise<string[]> {
  const { rows } = await sql<{ kind: string; key: string[] | null }>`
    with taken as (delete from ${sql.raw(outboxOf(source.no))} returning seq, kind, key)
    select kind, key from taken order by seq`.execute(db);
  return rows
    .map(({ kind, key }) => (kind !== 'row' ? kind : key?.length === 1 ? (key[0] as string) : JSON.stringify(key)))
    .sort();
}

/** Runs statements as a role that may write the tables of `public` and has no right on the schema of reembed. */
export class Writer {
  private readonly db: Db;
  readonly role: string;

  private constructor(db: Db, role: string) {
    this.db = db;
    this.role = role;
  }

  static async create(db: Db): Promise<Writer> {
    const role = `writer_${randomUUID().slice(0, 8)}`;
    await sql.raw(`create role ${role}`).execute(db);
    return new Writer(db, role);
  }

  /** Runs statements in one transaction. */
  async write(...statements: string[]): Promise<void> {
    await sql.raw(`grant all on all tables in schema public to ${this.role}`).execute(this.db);
    await transaction(this.db, async (trx) => {
      await sql.raw(`set local role ${this.role}`).execute(trx);
      for (const statement of statements) await sql.raw(statement).execute(trx);
    });
  }

  async drop(): Promise<void> {
    await sql.raw(`drop owned by ${this.role}`).execute(this.db);
    await sql.raw(`drop role ${this.role}`).execute(this.db);
  }
}
