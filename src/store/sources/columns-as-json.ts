import { type RawBuilder, sql } from 'kysely';

type Sql = RawBuilder<unknown>;

/** Largest whole number that all readers of JSON read exactly. */
const MAX_EXACT = sql.lit(Number.MAX_SAFE_INTEGER);

/** Columns of one object: a function of Postgres takes 100 arguments at most. */
const PAIRS = 50;

/**
 * Builds SQL for an object with columns of the table `t` as JSON. Numbers that readers of JSON would round are texts;
 * everything else is as of Postgres's `to_jsonb`: times in ISO 8601, in UTC.
 */
export function columnsAsJson(names: readonly string[], types: ReadonlyMap<string, string>): Sql {
  if (names.length === 0) return sql`'{}'::jsonb`;
  const pairs = names.map((name) => sql`${name}::text, ${asJson(sql`t.${sql.id(name)}`, types.get(name) ?? '')}`);
  const objects: Sql[] = [];
  for (let at = 0; at < pairs.length; at += PAIRS) {
    objects.push(sql`jsonb_build_object(${sql.join(pairs.slice(at, at + PAIRS))})`);
  }
  return sql`(${sql.join(objects, sql` || `)})`;
}

function asJson(value: Sql, type: string): Sql {
  const exact = isExact(value, type);
  if (!exact) return sql`to_jsonb(${value})`;
  return sql`case when ${value} is null or ${exact} then to_jsonb(${value}) else to_jsonb(${value}::text) end`;
}

function isExact(value: Sql, type: string): Sql | undefined {
  if (type === 'bigint') return sql`${value} between -${MAX_EXACT} and ${MAX_EXACT}`;
  if (!type.startsWith('numeric') || type.endsWith('[]')) return undefined;
  // The first two conditions keep the cast from failing.
  const fits = sql`abs(${value}) < 1e15 and scale(trim_scale(${value})) <= 15`;
  return sql`(case when ${fits} then ${value}::float8::numeric = ${value} end) is true`;
}
