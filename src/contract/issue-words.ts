import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** What zod calls a type, as a person reads it. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  tuple: 'a list',
  null: 'null',
  nan: 'NaN',
  undefined: 'nothing',
  date: 'a date',
  never: 'nothing',
};

/** How messages of zod begin that no schema has replaced by its own. */
const DEFAULT =
  /^(?:Invalid (?:input|option|discriminator value|number|string|URL|ISO date|ISO datetime)|Too small|Too big)\b/;

/** What a text in a format is, as a person reads it. */
const FORMATS: Readonly<Record<string, string>> = {
  url: 'a URL',
  date: 'a date such as 2026-01-31',
  datetime: 'a time such as 2026-01-31T12:00:00Z',
};

/** Returns the message of an issue: that of its schema, or what was expected, in words, instead of zod's own message. */
export function wordsOf(issue: Issue): string {
  if (!DEFAULT.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return typeWords([issue]);
    case 'invalid_value':
      return oneOf(issue.values);
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options) ? oneOf(issue.options) : issue.message;
    case 'too_small':
      return sizeWords(issue.origin, issue.minimum, leastOf(issue));
    case 'too_big':
      return sizeWords(issue.origin, issue.maximum, issue.exact ? 'exactly' : issue.inclusive ? 'at most' : 'below');
    case 'invalid_format':
      return Object.hasOwn(FORMATS, issue.format) ? `must be ${FORMATS[issue.format]}` : issue.message;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    default:
      return issue.message;
  }
}

/** Returns what several types of a union expected, of which the value is none. */
export function typeWords(issues: readonly Issue[]): string {
  const expected = issues.map((issue) => (issue.code === 'invalid_type' ? typeOf(issue.expected) : ''));
  const types = [...new Set(expected)].join(' or ');
  const received = /received (\w+)$/.exec(issues[0]?.message ?? '')?.[1];
  if (received === 'undefined') return `is required (${types})`;
  const isFraction = types === TYPES.int && received === 'number';
  return `must be ${types}${received === undefined || isFraction ? '' : `, not ${typeOf(received)}`}`;
}

function oneOf(values: readonly unknown[]): string {
  return `must be ${values.length > 1 ? 'one of ' : ''}${values.map(shown).join(', ')}`;
}

function leastOf({ exact, inclusive }: { exact?: boolean; inclusive?: boolean }): string {
  if (exact) return 'exactly';
  return inclusive ? 'at least' : 'above';
}

function sizeWords(origin: string, bound: number | bigint, relation: string): string {
  const unit = { string: 'character', array: 'item', set: 'item', map: 'entry', object: 'field' }[origin];
  if (unit === undefined) return `must be ${relation} ${bound}`;
  if (relation === 'at least' && Number(bound) === 1) return 'must not be empty';
  const units = Number(bound) === 1 ? unit : unit === 'entry' ? 'entries' : `${unit}s`;
  return `must have ${relation === 'above' ? 'more than' : relation} ${bound} ${units}`;
}

function typeOf(name: string): string {
  return TYPES[name] ?? name;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
