/** A JSON value. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** How much a JSON value may hold, so that walking it costs little time and little memory. */
export interface JsonLimits {
  /** Containers within each other. */
  levels: number;
  /** Elements of arrays and fields of objects, all levels together. */
  values: number;
}

/** What is wrong with a JSON value, and where in it. */
export interface JsonProblem {
  path: (string | number)[];
  message: string;
}

export const MAX_LEVELS = 200;

/** The limits of one payload. */
export const PAYLOAD_LIMITS: JsonLimits = { levels: MAX_LEVELS, values: 100_000 };

/** The limits of the metadata of one object, and of a filter. */
export const METADATA_LIMITS: JsonLimits = { levels: MAX_LEVELS, values: 10_000 };

/** Above this, neighboring integers become the same double. */
export const UNSAFE_INTEGER = `must be between -${Number.MAX_SAFE_INTEGER} and ${Number.MAX_SAFE_INTEGER}: larger integers are rounded, send them as text`;

/** From here on doubles print with an exponent, so that what is read is what was written. */
const PRINTED_WITH_EXPONENT = 1e21;

/** True for an integer that JSON readers round. */
export function isUnsafeInteger(value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < PRINTED_WITH_EXPONENT;
}

export interface JsonAllowed {
  /** NUL in texts: only Postgres has none. */
  nul?: boolean;
  /** Every number that a double holds, since it is not read from text. */
  anyNumber?: boolean;
}

/**
 * What keeps a value from being stored as it is, if anything: Postgres has no NUL in text, a lone surrogate is no UTF-8,
 * JSON has no infinite number. The walk is in place: it allocates per container, not per element, and ends at the first
 * problem.
 */
export function jsonProblem(
  value: unknown,
  limits: JsonLimits = PAYLOAD_LIMITS,
  allowed: JsonAllowed = {},
): JsonProblem | undefined {
  return new Walk(limits, allowed).visit(value, 1);
}

/** The same in words, for a text or a value without a path of interest. */
export function storageProblem(value: unknown): string | undefined {
  return jsonProblem(value)?.message;
}

class Walk {
  private readonly limits: JsonLimits;
  private readonly allowed: JsonAllowed;
  private values = 0;

  constructor(limits: JsonLimits, allowed: JsonAllowed) {
    this.limits = limits;
    this.allowed = allowed;
  }

  visit(value: unknown, level: number): JsonProblem | undefined {
    switch (typeof value) {
      case 'string':
        return this.text(value);
      case 'number':
        if (!Number.isFinite(value)) return { path: [], message: 'must be a finite number' };
        return isUnsafeInteger(value) && !this.allowed.anyNumber ? { path: [], message: UNSAFE_INTEGER } : undefined;
      case 'object':
        return value === null ? undefined : this.container(value, level);
      default:
        return undefined;
    }
  }

  private text(text: string): JsonProblem | undefined {
    if (!this.allowed.nul && text.includes('\u0000')) return { path: [], message: 'must not contain NUL characters' };
    if (!text.isWellFormed()) return { path: [], message: 'must be well-formed Unicode' };
    return undefined;
  }

  private container(value: object, level: number): JsonProblem | undefined {
    const { levels, values } = this.limits;
    if (level > levels) return { path: [], message: `must not be nested deeper than ${levels} levels` };
    const keys = Array.isArray(value) ? undefined : Object.keys(value);
    const size = keys?.length ?? (value as unknown[]).length;
    this.values += size;
    if (this.values > values) return { path: [], message: `must not have more than ${values} elements and fields` };
    for (let at = 0; at < size; at++) {
      const key = keys?.[at] ?? at;
      const problem =
        (typeof key === 'string' ? this.text(key) : undefined) ??
        this.visit((value as Record<string | number, unknown>)[key], level + 1);
      if (!problem) continue;
      problem.path.unshift(key);
      return problem;
    }
    return undefined;
  }
}

/** A JSON value as text that is the same whatever the order of the keys. What is undefined is left out. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return canonicalJson(value.toJSON());
  const members = value as Record<string, unknown>;
  let text = '';
  for (const key of Object.keys(members).sort()) {
    const member = members[key];
    if (member !== undefined) text += `${text && ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${text}}`;
}
