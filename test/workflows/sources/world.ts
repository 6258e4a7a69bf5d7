import { sql } from 'kysely';
import { canonicalJson } from '../../../src/contract/canonical-json.ts';
import {
  contentColumns,
  type SourceDefinitionInput,
  sourceDefinitionSchema,
  tableOf,
} from '../../../src/contract/sources.ts';
import type { Db } from '../../../src/store/database.ts';
import { resolveIndex } from '../../../src/store/indexes.ts';
import { outboxOf } from '../../../src/store/sources/names.ts';
import { installSql } from '../../../src/store/sources/triggers.ts';
import { run, triggerSource } from '../../store/sources/world.ts';
import { eventually } from '../../support/eventually.ts';

export interface GivenSource {
  no: number;
  name: string;
}

/** A source with its triggers, as after its definition; nobody follows it yet. `database` has its table. */
export async function givenSource(
  db: Db,
  name: string,
  definition: SourceDefinitionInput,
  key = [{ name: 'id', type: 'integer' }],
  database = db,
): Promise<GivenSource> {
  const parsed = sourceDefinitionSchema.parse(definition);
  const { schema, name: table } = tableOf(parsed);
  const {
    no: _no,
    marker,
    ...resolved
  } = await triggerSource(database, table, { schema, key, content: contentColumns(parsed) });
  const { rows } = await sql<{ no: number }>`
    insert into reembed.sources (name, definition, index_name, resolved, marker)
    values (${name}, ${JSON.stringify(parsed)}::jsonb, ${parsed.index}, ${JSON.stringify(resolved)}::jsonb, ${marker}::uuid)
    returning no`.execute(db);
  const no = rows[0]?.no as number;
  if (parsed.follow === 'triggers') await run(database, installSql({ no, marker, ...resolved }, { hasSchema: true }));
  return { no, name };
}

/** Waits until all changes of a source have been brought. */
export async function untilBrought(db: Db, { no }: GivenSource): Promise<void> {
  const outbox = sql.raw(outboxOf(no));
  await until(
    async () => (await sql`select from ${outbox} limit 1`.execute(db)).rows.length === 0,
    () => stateOf(db, no),
  );
}

/** Waits until something holds. */
export async function until(
  holds: () => Promise<boolean>,
  explain: () => Promise<unknown> = async () => '',
): Promise<void> {
  if (!(await eventually(holds, (held) => held))) throw new Error(`it never came: ${JSON.stringify(await explain())}`);
}

export async function stateOf(db: Db, no: number): Promise<{ state: string; reason: string | null } | undefined> {
  const { rows } = await sql<{ state: string; reason: string | null }>`
    select state, reason from reembed.sources where no = ${no}`.execute(db);
  return rows[0];
}

/** The live objects of an index or alias, one a line, in the order of their ids. */
export async function objectsOf(db: Db, name: string): Promise<string[]> {
  const index = await resolveIndex(db, name);
  const { rows } = await sql<{ id: string; payload: unknown; metadata: unknown }>`
    select object_id as id, payload, metadata
    from ${sql.raw(`reembed.objects_${index.no}`)}
    where not deleted and not failed`.execute(db);
  return rows.map(({ id, payload, metadata }) => canonicalJson([id, payload, metadata] as never)).sort();
}
