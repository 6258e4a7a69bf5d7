import { ReembedError } from '../contract/errors.ts';

/** What a page lists by a key: the objects of an index, the failed items of a task, the results of steering. */
export type CursorKind = 'objects' | 'failed-items' | 'results';

/** Cursors are opaque to clients; the mark in front tells them apart, and lets their inside change one day. */
const MARKS: Readonly<Record<CursorKind, string>> = { objects: 'k:', 'failed-items': 'f:', results: 'r:' };

/** Ids have less; with the four bytes that a character may take, the cursor is still short enough. */
const MOST_CHARS = 1_000;

/** The cursor of the page after this key. */
export function toCursor(kind: CursorKind, key: string): string {
  return Buffer.from(MARKS[kind] + key).toString('base64url');
}

/** The key after which a page begins; null without a cursor. Error: `InvalidInput` for what is no cursor of this kind. */
export function fromCursor(kind: CursorKind, cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const mark = MARKS[kind];
  const text = Buffer.from(cursor, 'base64url').toString();
  const key = text.slice(mark.length);
  const isKey = key !== '' && key.length <= MOST_CHARS && !key.includes('\0');
  if (text.startsWith(mark) && isKey && toCursor(kind, key) === cursor) return key;
  throw badCursor('must be the cursor of an earlier page');
}

/** Names the parameter where the cursor of a list that Temporal keeps is not good. */
export async function naming<T>(page: Promise<T>): Promise<T> {
  try {
    return await page;
  } catch (error) {
    const issue = error instanceof ReembedError && error.type === 'InvalidInput' ? error.issues[0] : undefined;
    throw issue?.path === 'cursor' ? badCursor(issue.message) : error;
  }
}

function badCursor(message: string): ReembedError {
  return new ReembedError('InvalidInput', `query.cursor: ${message}`, { issues: [{ path: 'query.cursor', message }] });
}
