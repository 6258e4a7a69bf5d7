import { ReembedError } from '../contract/errors.ts';
import { objectIdSchema } from '../contract/objects.ts';

/** Cursors are opaque to clients; the mark in front lets their inside change one day. */
const MARK = 'k:';

/** The cursor of the page after the object with this id. */
export function toCursor(objectId: string): string {
  return Buffer.from(MARK + objectId).toString('base64url');
}

/** The object id after which a page begins. Error: `InvalidInput` for what is no cursor of ours. */
export function fromCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString();
  const id = objectIdSchema.safeParse(text.slice(MARK.length));
  if (!text.startsWith(MARK) || !id.success || toCursor(id.data) !== cursor) {
    const message = 'must be the cursor of an earlier page';
    throw new ReembedError('InvalidInput', `query.cursor ${message}`, { issues: [{ path: 'query.cursor', message }] });
  }
  return id.data;
}
