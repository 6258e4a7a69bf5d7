import { invalidField, ReembedError } from '../contract/errors.ts';

/** Lists that are paged by key: objects of an index, failed items of a task, results of steering, queries, sampled searches. */
export type CursorKind = 'objects' | 'failed-items' | 'results' | 'queries' | 'sampled-searches';

/** Cursors are opaque to clients; the prefix tells the kinds apart and allows their format to change. */
const MARKS: Readonly<Record<CursorKind, string>> = {
  objects: 'k:',
  'failed-items': 'f:',
  results: 'r:',
  queries: 'q:',
  'sampled-searches': 's:',
};

const NOT_A_CURSOR = 'must be the cursor of an earlier page';

/** Ids are shorter; at four bytes per character the cursor is still short enough. */
const MAX_CHARS = 1_000;

/** Returns the cursor of the page after this key. */
export function toCursor(kind: CursorKind, key: string): string {
  return Buffer.from(MARKS[kind] + key).toString('base64url');
}

/** Returns the key after which a page begins; null without a cursor. Error: `InvalidInput` for another kind. */
export function fromCursor(kind: CursorKind, cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const mark = MARKS[kind];
  const text = Buffer.from(cursor, 'base64url').toString();
  const key = text.slice(mark.length);
  const isKey = key !== '' && key.length <= MAX_CHARS && !key.includes('\0');
  if (text.startsWith(mark) && isKey && toCursor(kind, key) === cursor) return key;
  throw badCursor(NOT_A_CURSOR);
}

/** Does the same for a list whose keys are numbers. */
export function fromNumberCursor(kind: CursorKind, cursor: string | undefined): string | null {
  const key = fromCursor(kind, cursor);
  if (key === null || /^[0-9]{1,18}$/.test(key)) return key;
  throw badCursor(NOT_A_CURSOR);
}

/** Names the parameter in the error about an invalid cursor of a list in Temporal. */
export async function naming<T>(page: Promise<T>): Promise<T> {
  try {
    return await page;
  } catch (error) {
    const issue = error instanceof ReembedError && error.type === 'InvalidInput' ? error.issues[0] : undefined;
    throw issue?.path === 'cursor' ? badCursor(issue.message) : error;
  }
}

function badCursor(message: string): ReembedError {
  return invalidField('query.cursor', message);
}
