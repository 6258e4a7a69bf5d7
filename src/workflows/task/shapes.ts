import { LIMITS } from '../../contract/limits.ts';

/** Returns what was expected of an invalid value. Kept small, because schemas would be loaded for each workflow. */
export type Shape = (value: unknown) => string | undefined;

const shape =
  (expected: string, isIt: (value: unknown) => boolean): Shape =>
  (value) =>
    isIt(value) ? undefined : expected;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const text = (maxChars: number): Shape =>
  shape(`a text of 1 to ${maxChars} characters`, (value) => {
    return typeof value === 'string' && value.length > 0 && value.length <= maxChars;
  });
export const whole = (min: number, max: number = Number.MAX_SAFE_INTEGER): Shape =>
  shape(`a whole number from ${min} to ${max}`, (value) => {
    return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
  });
export const above0: Shape = shape('a number above 0', (value) => Number.isFinite(value) && (value as number) > 0);
/** A text that may be empty. */
export const anyText: Shape = shape('a text', (value) => typeof value === 'string');
/** The id of a run: the server refuses a command with another one, and the workflow could not go on. */
export const runId: Shape = shape('the id of a run', (value) => {
  return typeof value === 'string' && /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(value);
});
/** A time as text, such as `2026-01-31T12:00:00Z`. */
export const time: Shape = shape('a time', (value) => typeof value === 'string' && Number.isFinite(Date.parse(value)));
export const finite: Shape = shape('a number', Number.isFinite);
export const flag: Shape = shape('true or false', (value) => typeof value === 'boolean');
export const list: Shape = shape('an array', Array.isArray);
export const anyRecord: Shape = shape('an object', isRecord);
export const anything: Shape = () => undefined;
export const oneOf = (...values: readonly string[]): Shape =>
  shape(`one of ${values.join(', ')}`, (value) => values.includes(value as string));
export const orNull =
  (inner: Shape): Shape =>
  (value) =>
    value === null ? undefined : inner(value);

/** Whether an index or an alias can have this name. A person may start a workflow with any input. */
export function isName(value: unknown): value is string {
  return text(LIMITS.nameChars)(value) === undefined;
}

/** An array of which each element has this shape. */
export const listOf =
  (inner: Shape): Shape =>
  (value) => {
    if (!Array.isArray(value)) return 'an array';
    const at = value.findIndex((element) => inner(element) !== undefined);
    return at < 0 ? undefined : `${at}: ${asSentence(inner(value[at]) as string)}`;
  };

/** An object with exactly these fields; those whose names end with `?` are optional. */
export function record(fields: Record<string, Shape>): Shape {
  return (value) => {
    if (!isRecord(value)) return 'an object';
    return firstProblem(value, fields);
  };
}

/** An object with these fields; others are allowed and not checked. */
export function atLeast(fields: Record<string, Shape>): Shape {
  return (value) => {
    if (!isRecord(value)) return 'an object';
    const known = Object.entries(value).filter(
      ([name]) => Object.hasOwn(fields, name) || Object.hasOwn(fields, `${name}?`),
    );
    return firstProblem(Object.fromEntries(known), fields);
  };
}

/** Returns the name of the first invalid field and what is wrong with it, or undefined if all are valid. */
export function firstProblem(value: Record<string, unknown>, fields: Record<string, Shape>): string | undefined {
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(fields, name) && !Object.hasOwn(fields, `${name}?`)) return `${name}: is not a known field`;
  }
  for (const [key, inner] of Object.entries(fields)) {
    const name = key.replace(/\?$/, '');
    if (name !== key && value[name] === undefined) continue;
    const expected = inner(value[name]);
    if (expected !== undefined) return `${name}: ${asSentence(expected)}`;
  }
  return undefined;
}

/** Phrases what a shape expected, or returns the problem of an inner field as it is. */
export function asSentence(expected: string): string {
  return /^\S+: /.test(expected) ? expected : `must be ${expected}`;
}
