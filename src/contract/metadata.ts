import { z } from 'zod';
import { type Json, type JsonLimits, jsonProblem, METADATA_LIMITS } from './json.ts';
import { isLongerJson } from './json-size.ts';
import { LIMITS } from './limits.ts';

/** Refuses a JSON value that cannot be stored unchanged, or that has too many bytes, levels or values. */
export function storable(maxBytes: number, limits: JsonLimits) {
  return (value: unknown, ctx: z.RefinementCtx) => {
    const problem = jsonProblem(value, limits);
    if (problem) ctx.addIssue({ code: 'custom', path: problem.path.slice(0, NAMED_STEPS), message: problem.message });
    else if (isLongerJson(value, maxBytes)) {
      ctx.addIssue({ code: 'custom', message: `at most ${maxBytes} bytes of JSON` });
    }
  };
}

/** Maximum steps in the path of a problem; the full path may be as long as the value. */
const NAMED_STEPS = 8;

/**
 * Any JSON object; its content is checked where it is stored. It is passed on unchanged: a validator that copies drops
 * the key `__proto__`.
 */
export const jsonObjectSchema = z
  .custom<Record<string, Json>>(isJsonObject, 'must be an object')
  .meta({ type: 'object', additionalProperties: {} });
export const metadataSchema = jsonObjectSchema.superRefine(storable(LIMITS.metadataBytes, METADATA_LIMITS));
export type Metadata = z.output<typeof metadataSchema>;

/** Whether a value is an object, and neither null nor an array. */
export function isJsonObject(value: unknown): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
