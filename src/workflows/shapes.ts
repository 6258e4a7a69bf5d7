/** Tells what was expected of a value, or nothing if it is that. Small and plain: schemas would be loaded per workflow. */
export type Shape = (value: unknown) => string | undefined;

const shape =
  (expected: string, isIt: (value: unknown) => boolean): Shape =>
  (value) =>
    isIt(value) ? undefined : expected;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const text = (mostChars: number): Shape =>
  shape(`a text of 1 to ${mostChars} characters`, (value) => {
    return typeof value === 'string' && value.length > 0 && value.length <= mostChars;
  });
export const whole = (least: number, most: number = Number.MAX_SAFE_INTEGER): Shape =>
  shape(`a whole number from ${least} to ${most}`, (value) => {
    return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
  });
export const above0: Shape = shape('a number above 0', (value) => Number.isFinite(value) && (value as number) > 0);
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

/** An object with these fields; those whose names end with `?` may be left out, and there may be no others. */
export function record(fields: Record<string, Shape>): Shape {
  return (value) => {
    if (!isRecord(value)) return 'an object';
    return firstProblem(value, fields);
  };
}

/** The same, of which there may be more. */
export function atLeast(fields: Record<string, Shape>): Shape {
  return (value) => {
    if (!isRecord(value)) return 'an object';
    const known = Object.entries(value).filter(([name]) => Object.hasOwn(fields, name));
    return firstProblem(Object.fromEntries(known), fields);
  };
}

/** What is wrong with the first field that is not as it should be, with its name; nothing if all are. */
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

/** What a shape expected, or what it found wrong with a field within. */
export function asSentence(expected: string): string {
  return /^\S+: /.test(expected) ? expected : `must be ${expected}`;
}
