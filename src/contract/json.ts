/** A JSON value. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Limits of a JSON value, so that walking it takes little time and memory. */
export interface JsonLimits {
  /** Nesting depth of containers. */
  levels: number;
  /** Elements of arrays and fields of objects, over all levels. */
  values: number;
}

/** A problem in a JSON value, and its path. */
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

/** From here on, doubles print with an exponent, so that they round-trip. */
const PRINTED_WITH_EXPONENT = 1e21;

/** Whether JSON parsers round this integer. */
export function isUnsafeInteger(value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < PRINTED_WITH_EXPONENT;
}

export interface JsonAllowed {
  /** NUL in texts: only Postgres forbids it. */
  nul?: boolean;
  /** Every double, since it is not parsed from text. */
  anyNumber?: boolean;
}

/**
 * Returns what prevents a value from being stored unchanged: Postgres allows no NUL in text, a lone surrogate
 * is not UTF-8, JSON has no infinite number. The walk allocates per container, not per element, and ends at the first
 * problem.
 */
export function jsonProblem(
  value: unknown,
  limits: JsonLimits = PAYLOAD_LIMITS,
  allowed: JsonAllowed = {},
): JsonProblem | undefined {
  return new Walk(limits, allowed).visit(value, 1);
}

/** Returns the same problem as a message only. */
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
      case 'bigint':
        return { path: [], message: 'must be a JSON value: send a bigint as text' };
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

/** Returns about the length of a value as JSON, in UTF-16 code units, without making that text. */
export function jsonBytes(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 2;
  if (Array.isArray(value)) for (const item of value) bytes += jsonBytes(item) + 1;
  else for (const [key, item] of Object.entries(value)) bytes += key.length + 4 + jsonBytes(item);
  return bytes;
}
