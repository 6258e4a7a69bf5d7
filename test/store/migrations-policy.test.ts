import {
  DummyDriver,
  Kysely,
  type Migration,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely';
import { expect, test } from 'vitest';
import { MIGRATIONS } from '../../src/store/migrate.ts';

/** The statements of a migration, without a database. */
async function statementsOf({ up }: Migration): Promise<string[]> {
  const statements: string[] = [];
  const db = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (kysely) => new PostgresIntrospector(kysely),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: ({ query }) => void statements.push(query.sql.replaceAll(/\s+/g, ' ').trim()),
  });
  await up(db);
  return statements;
}

const TAKES_AWAY = /\b(drop|rename|truncate)\b|\balter (column )?\w+ (set data )?type\b|\bset not null\b/;
const CREATES = /^create table (?:if not exists )?(reembed\.\w+)/;
const SCANS =
  /^create (?:unique )?index (?:\w+ )?on (reembed\.\w+)|^alter table (reembed\.\w+) add (?:constraint|check|foreign|unique|primary)/;

/** Statements that break running old code or its writers. */
async function problemsOf(migrations: Record<string, Migration>): Promise<string[]> {
  const problems: string[] = [];
  for (const [name, migration] of Object.entries(migrations)) {
    const statements = await statementsOf(migration);
    const own = statements.map((statement) => CREATES.exec(statement)?.[1]);
    for (const statement of statements) {
      const [, indexed, altered] = SCANS.exec(statement) ?? [];
      const scanned = indexed ?? altered;
      if (TAKES_AWAY.test(statement) && !/_needs_\d{4}$/.test(name)) problems.push(`${name} takes away: ${statement}`);
      if (scanned && !own.includes(scanned)) problems.push(`${name} holds up the writers of ${scanned}: ${statement}`);
    }
  }
  return problems;
}

const of = (statement: string): Migration => ({
  up: async (db) => void (await sql.raw(statement).execute(db)),
});

test('migrations only add, unless their name says which code they need, and scan no table in use', async () => {
  expect(await problemsOf(MIGRATIONS)).toEqual([]);
});

test.each([
  'alter table reembed.objects drop column uri',
  'alter table reembed.objects rename column uri to address',
  'alter table reembed.objects alter column uri type varchar(10)',
  'alter table reembed.objects alter column uri set not null',
  'create index objects_uri on reembed.objects (uri)',
  'alter table reembed.objects add constraint short check (length(uri) < 10)',
])('a migration with `%s` is rejected', async (statement) => {
  expect(await problemsOf({ '0900_next': of(statement) })).toHaveLength(1);
});

test('a migration may remove things once it names what the code must know', async () => {
  const drop = of('alter table reembed.objects drop column uri');
  expect(await problemsOf({ '0900_drop_uri_needs_0800': drop })).toEqual([]);
});
