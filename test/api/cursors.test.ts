import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CursorKind, fromCursor, toCursor } from '../../src/api/cursor.ts';
import { openApiDocument } from '../../src/api/document.ts';
import { toCursor as toListCursor } from '../../src/temporal/lists/cursor.ts';
import { call, silentDatabase, testApi } from './support.ts';

const app = testApi(silentDatabase());
const KINDS: CursorKind[] = ['objects', 'failed-items', 'results'];

/** Every call with a cursor. */
const PATHS = Object.entries(openApiDocument(app).paths ?? {}).flatMap(([path, item]) => {
  const parameters = (item.get?.parameters ?? []) as { name: string }[];
  if (!parameters.some(({ name }) => name === 'cursor')) return [];
  const query = parameters.some(({ name }) => name === 'taskId') ? '?taskId=a&cursor=' : '?cursor=';
  return [path.replaceAll(/\{\w+\}/g, 'docs') + query];
});

const base64 = (text: string) => Buffer.from(text).toString('base64url');
const JUNK: [what: string, cursor: string][] = [
  ['two letters', 'AA'],
  ['nothing', ''],
  ['a text that is not base64', 'not%20a%20cursor'],
  ['NUL', '%00'],
  ['a mark with NUL', base64('k:\0')],
  ['the mark of failed items with NUL', base64('f:a\0b')],
  ['the mark of results with NUL', base64('r:\0')],
  ['a mark alone', base64('k:')],
  ['no mark', base64('some id')],
  ['bytes that are no text', Buffer.from([0x6b, 0x3a, 0xff, 0xfe]).toString('base64url')],
  ['bits behind the last byte', `${base64('k:ab').slice(0, -1)}h`],
  ['10 kB', 'a'.repeat(10_240)],
  ['a long id', base64(`k:${'a'.repeat(1_001)}`)],
  ['the cursor of another list', toListCursor('another filter', Buffer.from('1/1/a')) ?? ''],
];

describe('a cursor', () => {
  it('is accepted by all calls that answer in pages', () => {
    expect(PATHS.map((path) => path.split('?')[0])).toEqual(
      expect.arrayContaining([
        '/v1/tasks/list',
        '/v1/tasks/steer/list',
        '/v1/tasks/failed-items',
        '/v1/tasks/steer/results',
        '/v1/indexes/docs/objects',
        '/v1/schedules',
      ]),
    );
  });

  it.each(JUNK)('is refused by name in every call if it is %s', async (_what, cursor) => {
    for (const path of PATHS) {
      const { status, body } = await call(app, 'GET', path + cursor);
      expect([path, status, body.issues?.[0]?.path]).toEqual([path, 400, 'query.cursor']);
    }
  });

  it.each(KINDS)('of %s converts back to its key, and is invalid for another kind', (kind) => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 512 }), (key) => {
        fc.pre(!key.includes('\0') && key.isWellFormed());
        const cursor = toCursor(kind, key);
        expect(fromCursor(kind, cursor)).toBe(key);
        for (const other of KINDS) if (other !== kind) expect(() => fromCursor(other, cursor)).toThrow('query.cursor');
      }),
    );
  });
});
