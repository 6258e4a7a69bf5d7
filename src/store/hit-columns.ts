import { type RawBuilder, sql } from 'kysely';
import type { Wanted, WantedFields } from '../contract/hit-fields.ts';
import type { Json } from '../contract/json.ts';
import { isJsonObject } from '../contract/objects.ts';

/**
 * Returns the SQL for what is wanted of a jsonb column, as JSON text: the whole value, null for nothing, or an object with
 * the values that exist, by the place of their path from 1 on. Postgres extracts them, so nothing else is sent.
 */
export function wantedColumn(column: 'payload' | 'metadata', wanted: Wanted): RawBuilder<unknown> {
  const value = sql.ref(column);
  if (wanted === 'all') return sql`${value}::text`;
  if (wanted === 'none') return sql`null::text`;
  // strict: a path does not lead through arrays, as it would by default.
  const paths = wanted.map((path) => `strict $${path.map((key) => `.${JSON.stringify(key)}`).join('')}`);
  return sql`(
    select coalesce(jsonb_object_agg(place, found), '{}')::text
    from unnest(${paths}::text[]) with ordinality as wanted (path, place)
    cross join lateral (select jsonb_path_query_first(${value}, path::jsonpath, '{}', true) as found) value
    where found is not null
  )`;
}

/**
 * Returns the SQL for the text of a part in `range`: `text` where Postgres can cut it, otherwise `source`, the JSON text
 * of the payload to cut it from. Without the payload, no more of a text is sent than the part needs.
 */
export function textColumns(fields: WantedFields): { text: RawBuilder<unknown>; source: RawBuilder<unknown> } {
  if (!fields.text) return { text: sql`null::text`, source: sql`null::text` };
  // Postgres counts code points. They are UTF-16 code units as long as none is beyond U+FFFF.
  const text = sql`(
    select case when first_of !~ '[\\U00010000-\\U0010ffff]' then substr(first_of, range.first + 1) end
    from (select left(payload #>> '{}', range.past) as first_of offset 0) cut
    where jsonb_typeof(payload) = 'string'
  )`;
  if (fields.payload === 'all') return { text, source: sql`null::text` };
  const source = sql`(
    case
      when range.past is null then null
      when jsonb_typeof(payload) = 'string' then to_jsonb(left(payload #>> '{}', range.past))::text
      else payload::text
    end
  )`;
  return { text, source };
}

/** Returns what `wantedColumn` reads as the caller gets it: values at paths stand where they are in the whole value. */
export function shapeOf(read: Json, wanted: Wanted): Json | undefined {
  if (wanted === 'none') return undefined;
  if (wanted === 'all') return read;
  const shaped: Record<string, Json> = {};
  for (const [at, path] of wanted.entries()) {
    const values = read as Record<string, Json> | null;
    const place = String(at + 1);
    if (values && Object.hasOwn(values, place)) put(shaped, path, values[place] as Json);
  }
  return shaped;
}

function put(into: Record<string, Json>, path: readonly string[], value: Json): void {
  const [key = '', ...rest] = path;
  const isLast = rest.length === 0;
  if (isLast || !Object.hasOwn(into, key)) define(into, key, isLast ? value : {});
  const next = into[key];
  if (!isLast && isJsonObject(next)) put(next, rest, value);
}

/** An assignment to the key `__proto__` would be lost. */
function define(into: Record<string, Json>, key: string, value: Json): void {
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
}
