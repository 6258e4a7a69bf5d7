import type { Context } from 'hono';
import type { z } from 'zod';
import { type FieldIssue, ReembedError } from '../../contract/errors.ts';
import { fieldIssues, issuesText, MAX_ISSUES } from '../../contract/issues.ts';
import { parseScanned, scanOf, withoutMark } from '../../contract/json-text/parse.ts';
import { LIMITS } from '../../contract/limits.ts';
import { type Deletion, deletionItemSchema, type Item, itemSchema } from '../../contract/objects.ts';
import { type DeleteBody, deleteSchema, repeatedIds, type UpsertBody, upsertSchema } from '../../contract/tasks.ts';
import { Pace } from '../../cpu/pace.ts';
import { cutItems } from './cut-items.ts';
import { badBody, parseBody, parseInput, readBytes } from './json.ts';

/** Bodies up to here are read in one go, which holds the event loop for a few milliseconds. */
const WHOLE_BYTES = 128 * 1024;

const SCAN_BYTES = 1024 * 1024;

/** Where the items of a body are, and what each must be. */
const FORMS = {
  upsert: { field: 'items', whole: upsertSchema, rest: upsertSchema.omit({ items: true }), item: itemSchema },
  delete: { field: 'ids', whole: deleteSchema, rest: deleteSchema.omit({ ids: true }), item: deletionItemSchema },
} as const;

/**
 * Reads the JSON body of an upsert or a delete. A large one is taken apart and checked item by item, and the event loop
 * is let go in between. Errors as of `readJsonBody`.
 */
export async function readItems(c: Context, type: 'upsert'): Promise<UpsertBody>;
export async function readItems(c: Context, type: 'delete'): Promise<DeleteBody>;
export async function readItems(c: Context, type: 'upsert' | 'delete'): Promise<UpsertBody | DeleteBody> {
  const bytes = withoutMark(await readBytes(c.req.raw.body, LIMITS.bodyBytes));
  const { field, whole, rest, item } = FORMS[type];
  if (bytes.length <= WHOLE_BYTES) return parseInput<UpsertBody | DeleteBody>(whole, parseBody(bytes));
  const pace = new Pace();
  const cut = await cutItems(bytes, field, pace);
  const head = parseBody(cut.head);
  // Without items, or with something else in their place, the error is that of the whole.
  if (cut.items.length === 0 || !isObject(head)) return parseInput<UpsertBody | DeleteBody>(whole, head);
  const { [field]: _items, ...others } = head;
  const options = parseInput<Omit<UpsertBody, 'items'> | Omit<DeleteBody, 'ids'>>(rest, others);
  const items = await parseItems(cut.items, item, field, pace);
  return { ...options, [field]: items } as UpsertBody | DeleteBody;
}

async function parseItems<T extends Item | Deletion>(
  texts: readonly Uint8Array[],
  schema: z.ZodType<T>,
  field: string,
  pace: Pace,
): Promise<T[]> {
  const items: T[] = [];
  const issues: FieldIssue[] = [];
  for (const [at, text] of texts.entries()) {
    const parsed = schema.safeParse(await parsePaced(text, pace, [field, at]));
    if (parsed.success) items.push(parsed.data);
    else issues.push(...fieldIssues(parsed.error, [field, at]));
    if (issues.length >= MAX_ISSUES) break;
    await pace.breathe();
  }
  if (issues.length === 0) issues.push(...repeatedIds(items, field));
  if (issues.length === 0) return items;
  throw new ReembedError('InvalidInput', issuesText(issues), { issues: issues.slice(0, MAX_ISSUES) });
}

/** Parses one JSON text of many megabytes: the look at it comes in pieces. Error: `InvalidInput`, with the prefix. */
export async function parsePaced(text: Uint8Array, pace: Pace, prefix: (string | number)[]): Promise<unknown> {
  const scan = scanOf(text, {});
  try {
    while (!scan.isAtEnd) {
      scan.run(SCAN_BYTES);
      await pace.breathe();
    }
    const value = parseScanned(text, scan);
    await pace.breathe();
    return value;
  } catch (error) {
    throw badBody(error, prefix);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
