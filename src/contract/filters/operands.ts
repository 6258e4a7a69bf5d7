import type { Json } from '../json.ts';
import { isJsonObject } from '../metadata.ts';
import type { Bound } from './condition.ts';
import { isDate } from './dates.ts';
import type { Comparison, Range } from './operators.ts';

const DATE_FORM = '{"date": "2026-01-31"}';

/** Returns the bound of a range, or what is wrong with the operand. */
export function boundOf(operand: Json): Bound | string {
  if (typeof operand === 'number') return { kind: 'number', value: operand };
  if (typeof operand === 'string') return { kind: 'text', value: operand };
  if (isJsonObject(operand) && Object.keys(operand).join() === 'date') {
    const { date } = operand;
    if (typeof date === 'string' && isDate(date)) return { kind: 'date', value: date };
    return 'date must be a date or a time in ISO 8601 that exists, such as 2026-01-31 or 2026-01-31T12:00:00Z';
  }
  return `must be a number, a text or a date such as ${DATE_FORM}, not ${typeName(operand)}`;
}

/** Returns why ranges of one field cannot be compared with each other; undefined if they can. */
export function mixedRanges(ranges: readonly { operator: Range; bound: Bound }[]): string | undefined {
  const [first, ...others] = ranges;
  const other = others.find(({ bound }) => bound.kind !== first?.bound.kind);
  if (!first || !other) return undefined;
  return `${first.operator} is ${nameOf(first.bound)} and ${other.operator} is ${nameOf(other.bound)}: a range has one type`;
}

/** Returns what is wrong with the operand of an operator that is no range; undefined if nothing. */
export function operandProblem(operator: Exclude<Comparison, Range>, operand: Json): string | undefined {
  switch (operator) {
    case 'in':
    case 'nin':
      if (!Array.isArray(operand)) return `must be an array of values, not ${typeName(operand)}`;
      return operand.length === 0 ? 'must have a value: nothing is in an empty array' : undefined;
    case 'exists':
      return typeof operand === 'boolean' ? undefined : `must be true or false, not ${typeName(operand)}`;
    case 'startsWith':
      return typeof operand === 'string' ? undefined : `must be a text, not ${typeName(operand)}`;
    case 'contains':
      return typeof operand === 'object' && operand !== null
        ? `must be a text, a number, a boolean or null, not ${typeName(operand)}`
        : undefined;
    default:
      return undefined;
  }
}

function nameOf({ kind }: Bound): string {
  return `a ${kind}`;
}

export function typeName(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return 'a text';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
