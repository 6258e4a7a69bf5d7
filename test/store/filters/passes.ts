import type { Json } from '../../../src/contract/json.ts';

type JsonObject = { [key: string]: Json };
const MISSING = Symbol('missing');
type Found = Json | typeof MISSING;

const isObject = (value: Found): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const OPERATORS = ['eq', 'ne', 'in', 'nin', 'gt', 'gte', 'lt', 'lte', 'exists', 'contains', 'startsWith'];

/** Whether metadata passes a filter, as docs/filters.md says: written for clarity, and without the code of the product. */
export function passes(metadata: JsonObject, filter: Json): boolean {
  return holds(metadata, filter);
}

function holds(value: Found, filter: Json): boolean {
  if (!isObject(filter)) return value !== MISSING && isWithin(filter, value);
  if (Object.keys(filter).length === 0) return isObject(value);
  return Object.entries(filter).every(([name, operand]) => {
    if (OPERATORS.includes(name)) return compares(value, name, operand);
    if (name === 'not') return !holds(value, operand);
    if (name === 'and') return (operand as Json[]).every((one) => holds(value, one));
    if (name === 'or') return (operand as Json[]).some((one) => holds(value, one));
    const asPath = holds(stepsOf(name).reduce(step, value), operand);
    return asPath || (isShortForm(operand) && holds(step(value, name), operand));
  });
}

/** Whether a literal, whose field may have a name with a dot. */
function isShortForm(operand: Json): boolean {
  if (!isObject(operand)) return true;
  return Object.entries(operand).every(
    ([name, inner]) =>
      !OPERATORS.includes(name) && !['not', 'and', 'or'].includes(name) && !/[.\\]/.test(name) && isShortForm(inner),
  );
}

/** `a.b` is a path; `\` takes the next character literally. */
function stepsOf(name: string): string[] {
  const marked = name.replaceAll(/\\(.)/gs, (_, char: string) => `<${char.codePointAt(0)}>`);
  return marked.split('.').map((part) => part.replaceAll(/<(\d+)>/g, (_, code) => String.fromCodePoint(Number(code))));
}

function step(value: Found, name: string): Found {
  return isObject(value) && Object.hasOwn(value, name) ? (value[name] as Json) : MISSING;
}

/** Containment of Postgres, below the top. */
function isWithin(inner: Json, outer: Json): boolean {
  if (Array.isArray(inner))
    return Array.isArray(outer) && inner.every((one) => outer.some((all) => isWithin(one, all)));
  if (isObject(inner)) {
    return (
      isObject(outer) &&
      Object.keys(inner).every((key) => Object.hasOwn(outer, key) && isWithin(inner[key] as Json, outer[key] as Json))
    );
  }
  return inner === outer;
}

function isEqual(left: Found, right: Json): boolean {
  if (left === MISSING) return false;
  return sorted(left) === sorted(right);
}

function sorted(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join()}]`;
  if (isObject(value))
    return `{${Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${sorted(value[key] as Json)}`)
      .join()}}`;
  return JSON.stringify(value);
}

function compares(value: Found, operator: string, operand: Json): boolean {
  switch (operator) {
    case 'eq':
      return isEqual(value, operand);
    case 'ne':
      return !isEqual(value, operand);
    case 'in':
      return (operand as Json[]).some((one) => isEqual(value, one));
    case 'nin':
      return !(operand as Json[]).some((one) => isEqual(value, one));
    case 'exists':
      return (value !== MISSING) === operand;
    case 'contains':
      if (typeof value === 'string') return typeof operand === 'string' && value.includes(operand);
      return Array.isArray(value) && value.includes(operand);
    case 'startsWith':
      return typeof value === 'string' && value.startsWith(operand as string);
    default:
      return inRange(value, operator, operand);
  }
}

function inRange(value: Found, operator: string, operand: Json): boolean {
  let order: number;
  if (typeof operand === 'number') {
    if (typeof value !== 'number') return false;
    order = value - operand;
  } else {
    if (typeof value !== 'string') return false;
    if (typeof operand === 'string') order = Buffer.compare(Buffer.from(value), Buffer.from(operand));
    else {
      const [at, limit] = [instantOf(value), instantOf((operand as { date: string }).date)];
      if (Number.isNaN(at)) return false;
      order = at - limit;
    }
  }
  return { gt: order > 0, gte: order >= 0, lt: order < 0, lte: order <= 0 }[operator] as boolean;
}

/** Milliseconds of a date or time in ISO 8601, in UTC without a zone; NaN for any other text. */
function instantOf(text: string): number {
  const parts = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(:\d{2}(?:\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/.exec(text);
  if (!parts) return Number.NaN;
  const [, day = '', minutes = '00:00', seconds = ':00', zone = 'Z'] = parts;
  // Date takes February 30 for March 2.
  if (new Date(`${day}T00:00Z`).toJSON()?.slice(0, 10) !== day) return Number.NaN;
  return Date.parse(`${day}T${minutes}${seconds}${zone}`);
}
