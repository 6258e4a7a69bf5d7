import { type RawBuilder, sql } from 'kysely';
import { DATE_PATTERN, ZONE_PATTERN } from '../../contract/filters/dates.ts';
import { type Condition, conditionsOf } from '../../contract/filters/parse.ts';
import type { Json } from '../../contract/json.ts';

/** SQL of type boolean that is never null. */
type Sql = RawBuilder<unknown>;
type Of<Kind extends Condition['kind']> = Extract<Condition, { kind: Kind }>;
type Path = Of<'exists'>['path'];

/** Up to this many values, a list is looked up in the index on metadata, value by value. */
const LOOKED_UP_VALUES = 30;

/** A filter as SQL. All values and names are parameters. */
export interface CompiledFilter {
  /** Boolean, never null. */
  condition: Sql;
  /** Whether the index on metadata finds the matching objects. */
  isLookedUp: boolean;
}

/**
 * Compiles a filter for a column with metadata; returns undefined for one that all objects pass, which needs no
 * condition: an empty one would read the whole index on metadata.
 * @throws FilterError for a filter that its schema refuses
 */
export function compileFilter(filter: object | undefined, column: Sql): CompiledFilter | undefined {
  if (filter === undefined) return undefined;
  const condition = conditionsOf(filter);
  if (condition.kind === 'all' && condition.of.length === 0) return undefined;
  return { condition: compile(condition, column), isLookedUp: isLookedUp(condition) };
}

function compile(condition: Condition, column: Sql): Sql {
  switch (condition.kind) {
    case 'all':
    case 'any': {
      const of = condition.of.map((one) => compile(one, column));
      return of.length === 0 ? sql`true` : sql`(${sql.join(of, condition.kind === 'all' ? sql` and ` : sql` or `)})`;
    }
    case 'not':
      return sql`(not ${compile(condition.of, column)})`;
    case 'contained':
      return contains(column, condition.path, condition.value);
    case 'equal':
      return equal(condition, column);
    case 'among':
      return among(condition, column);
    case 'range':
      return range(condition, column);
    case 'exists':
      return sql`(${valueAt(column, condition.path)} is not null)`;
    case 'contains':
      return containsElement(condition, column);
    case 'startsWith':
      return ofText(column, condition.path, (text) => sql`starts_with(${text}, ${condition.value}::text)`);
  }
}

/** The value at a path as jsonb, null if it is missing. `->` with a text steps into objects only. */
function valueAt(column: Sql, path: Path): Sql {
  return sql`(${sql.join([column, ...path.map((name) => sql`${name}::text`)], sql` -> `)})`;
}

function contains(column: Sql, path: Path, value: Json): Sql {
  return sql`(${column} @> ${nested(path, value)}::jsonb)`;
}

/** JSON text with a value at a path. Built as text: assigning a key such as `__proto__` would not create it. */
function nested(path: Path, value: Json): string {
  return path.reduceRight((inner, name) => `{${JSON.stringify(name)}:${inner}}`, JSON.stringify(value));
}

const isScalar = (value: Json) => typeof value !== 'object' || value === null;

function equal({ path, value }: Of<'equal'>, column: Sql): Sql {
  const holds = contains(column, path, value);
  // Of scalars, containment is equality. For others, it is what the index knows.
  if (isScalar(value)) return holds;
  return sql`(${holds} and coalesce(${valueAt(column, path)} = ${JSON.stringify(value)}::jsonb, false))`;
}

function among({ path, values }: Of<'among'>, column: Sql): Sql {
  if (values.length <= LOOKED_UP_VALUES) {
    return sql`(${sql.join(
      values.map((value) => equal({ kind: 'equal', path, value }, column)),
      sql` or `,
    )})`;
  }
  const texts = values.map((value) => JSON.stringify(value));
  return sql`coalesce(${valueAt(column, path)} = any(${texts}::text[]::jsonb[]), false)`;
}

const RANGE_SIGNS = { gt: sql`>`, gte: sql`>=`, lt: sql`<`, lte: sql`<=` } as const;

/** `case` guards each comparison: Postgres may evaluate the sides of an `and` in any order. */
function range({ path, operator, bound }: Of<'range'>, column: Sql): Sql {
  const sign = RANGE_SIGNS[operator];
  if (bound.kind === 'text') return ofText(column, path, (text) => sql`${text} ${sign} ${bound.value}::text`);
  if (bound.kind === 'date') {
    const date = sql`${bound.value}::text`;
    return ofText(column, path, (text) => {
      const compared = sql`${instant(text)} ${sign} ${instant(date)}`;
      return sql`case when ${text} ~ ${DATE_PATTERN} then ${compared} else false end`;
    });
  }
  const value = valueAt(column, path);
  // The order of jsonb compares numbers as `numeric`: exactly.
  const compared = sql`${value} ${sign} ${JSON.stringify(bound.value)}::jsonb`;
  return sql`(case when jsonb_typeof(${value}) = 'number' then ${compared} else false end)`;
}

/** Converts a text that fits `DATE_PATTERN`. */
function instant(text: Sql): Sql {
  return sql`(case
    when ${text} ~ ${ZONE_PATTERN} then ${text}::timestamptz
    else ${text}::timestamp at time zone 'UTC'
  end)`;
}

/** A condition on a text, ordered by its bytes on every server; false for a value of another type. */
function ofText(column: Sql, path: Path, condition: (text: Sql) => Sql): Sql {
  const value = valueAt(column, path);
  const text = sql`((${value} #>> '{}') collate "C")`;
  return sql`(case when jsonb_typeof(${value}) = 'string' then ${condition(text)} else false end)`;
}

function containsElement({ path, value }: Of<'contains'>, column: Sql): Sql {
  const hasElement = contains(column, path, [value]);
  if (typeof value !== 'string') return hasElement;
  return sql`(${hasElement} or ${ofText(column, path, (text) => sql`strpos(${text}, ${value}::text) > 0`)})`;
}

/** Whether the index on metadata narrows a condition down. It knows paths to scalars, and not the lack of something. */
function isLookedUp(condition: Condition): boolean {
  switch (condition.kind) {
    case 'all':
      return condition.of.some(isLookedUp);
    case 'any':
      return condition.of.every(isLookedUp);
    case 'contained':
    case 'equal':
      return hasScalar(condition.value);
    case 'among':
      return condition.values.length <= LOOKED_UP_VALUES && condition.values.every(hasScalar);
    case 'contains':
      return typeof condition.value !== 'string';
    default:
      return false;
  }
}

function hasScalar(value: Json): boolean {
  return isScalar(value) || Object.values(value as object).some(hasScalar);
}
