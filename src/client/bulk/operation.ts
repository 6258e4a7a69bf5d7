import { messageOf } from '../../contract/errors.ts';
import { fieldIssues, issuesText } from '../../contract/issues.ts';
import { deletionSchema, itemSchema, objectIdSchema } from '../../contract/objects.ts';
import type { BulkFailed, BulkOperation } from './report.ts';

/** A serialized operation, so that later changes by the caller do not affect it. */
export interface Pending {
  op: 'upsert' | 'delete';
  id: string;
  originalId?: string;
  json: string;
  /** UTF-8 bytes of the JSON and a comma. */
  bytes: number;
}

const encoder = new TextEncoder();
/** Buffer to measure texts without an allocation for each. */
const scratch = new Uint8Array(64 * 1024);

/** Returns the length of a text in UTF-8 bytes. */
function bytesOf(text: string): number {
  // A UTF-16 code unit takes at most three bytes.
  if (3 * text.length > scratch.length) return encoder.encode(text).length;
  return encoder.encodeInto(text, scratch).written;
}

/** Validates an operation like the API, so that one bad item does not fail its batch. */
export function prepare(operation: BulkOperation): Pending | BulkFailed {
  const given = operation as { upsert?: unknown; delete?: unknown } | null | undefined;
  if (typeof given !== 'object' || given === null || (given.upsert === undefined) === (given.delete === undefined)) {
    return refused(operation, 'upsert', undefined, 'specify either upsert or delete');
  }
  const op = given.upsert === undefined ? 'delete' : 'upsert';
  const value = given[op];
  try {
    const schema = op === 'upsert' ? itemSchema : typeof value === 'string' ? objectIdSchema : deletionSchema;
    const parsed = schema.safeParse(value);
    if (!parsed.success) {
      return refused(operation, op, value, issuesText(fieldIssues(parsed.error)));
    }
  } catch (error) {
    return refused(operation, op, value, messageOf(error)); // a value without a JSON form, such as a bigint
  }
  const { id, originalId } = (typeof value === 'string' ? { id: value } : value) as { id: string; originalId?: string };
  const json = JSON.stringify(value);
  return { op, id, originalId, json, bytes: bytesOf(json) + 1 };
}

export function operationOf({ op, json }: Pending): BulkOperation {
  return { [op]: JSON.parse(json) } as BulkOperation;
}

function refused(operation: BulkOperation, op: Pending['op'], value: unknown, detail: string): BulkFailed {
  const named = typeof value === 'string' ? value : (value as { id?: unknown } | null | undefined)?.id;
  const id = typeof named === 'string' ? named : '';
  return { op, id, status: 'failed', taskId: null, stage: 'check', reason: 'InvalidInput', detail, operation };
}
