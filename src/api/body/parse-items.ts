import type { z } from 'zod';
import { type FieldIssue, ReembedError } from '../../contract/errors.ts';
import { fieldIssues, issuesText, MAX_ISSUES } from '../../contract/issues.ts';
import { type Line, lineError } from '../../contract/json-text/lines.ts';
import { parseJsonText, withoutMark } from '../../contract/json-text/parse.ts';
import { type Deletion, deletionItemSchema, type Item, isJsonObject, itemSchema } from '../../contract/objects.ts';
import {
  type DeleteBody,
  deleteSchema,
  repeatedIds,
  type UpsertBody,
  upsertSchema,
} from '../../contract/task-bodies.ts';
import { cutItems } from './cut-items.ts';
import { badBody, parseBody, parseInput } from './json.ts';

/** Bodies up to this size are parsed as a whole; the items of larger ones are parsed one by one. */
const WHOLE_BYTES = 128 * 1024;

/** Field that holds the items of a body, and the schemas of the body and of each item. */
const FORMS = {
  upsert: { field: 'items', whole: upsertSchema, rest: upsertSchema.omit({ items: true }), item: itemSchema },
  delete: { field: 'ids', whole: deleteSchema, rest: deleteSchema.omit({ ids: true }), item: deletionItemSchema },
} as const;

export type WriteType = keyof typeof FORMS;

/** Where the vectors of an item are. */
const VECTORS = ['parts', '*', 'vector'];

/** Parses the JSON body of an upsert or a delete. Errors: those of `parseJsonText`, as `InvalidInput`. */
export function parseItemsBody(marked: Uint8Array, type: WriteType): UpsertBody | DeleteBody {
  const bytes = withoutMark(marked);
  const { field, whole, rest, item } = FORMS[type];
  if (bytes.length <= WHOLE_BYTES)
    return parseInput<UpsertBody | DeleteBody>(whole, parseBody(bytes, { vectors: [field, '*', ...VECTORS] }));
  const cut = cutItems(bytes, field);
  const head = parseBody(cut.head);
  // If items are missing or of another type, validate the whole body for its error.
  if (cut.items.length === 0 || !isJsonObject(head)) return parseInput<UpsertBody | DeleteBody>(whole, head);
  const { [field]: _items, ...others } = head;
  const options = parseInput<Omit<UpsertBody, 'items'> | Omit<DeleteBody, 'ids'>>(rest, others);
  return { ...options, [field]: parseItems(cut.items, item, field) } as UpsertBody | DeleteBody;
}

/** Parses one line. Error: `InvalidInput` with a path like `line 17.id`. */
export function parseItemLine({ number, bytes }: Line, type: WriteType): Item | Deletion {
  const parsed = FORMS[type].item.safeParse(parseText(bytes, [`line ${number}`]));
  if (!parsed.success) throw lineError(number, fieldIssues(parsed.error));
  return parsed.data;
}

function parseItems<T extends Item | Deletion>(texts: readonly Uint8Array[], schema: z.ZodType<T>, field: string): T[] {
  const items: T[] = [];
  const issues: FieldIssue[] = [];
  for (const [at, text] of texts.entries()) {
    const parsed = schema.safeParse(parseText(text, [field, at]));
    if (parsed.success) items.push(parsed.data);
    else issues.push(...fieldIssues(parsed.error, [field, at]));
    if (issues.length >= MAX_ISSUES) break;
  }
  if (issues.length === 0) issues.push(...repeatedIds(items, field));
  if (issues.length === 0) return items;
  throw new ReembedError('InvalidInput', issuesText(issues), { issues: issues.slice(0, MAX_ISSUES) });
}

function parseText(text: Uint8Array, prefix: (string | number)[]): unknown {
  try {
    return parseJsonText(text, { vectors: VECTORS });
  } catch (error) {
    throw badBody(error, prefix);
  }
}
