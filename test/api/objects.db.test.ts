import { setTimeout as sleep } from 'node:timers/promises';
import { serve } from '@hono/node-server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Problem } from '../../src/api/problems.ts';
import { type Db, transaction } from '../../src/store/database.ts';
import { dropIndex } from '../../src/store/drop-index.ts';
import { markDeleting } from '../../src/store/indexes.ts';
import { onBothDatabases } from '../support/databases.ts';
import { call, makeIndex, putObjects, removeObject, testApi } from './support.ts';

const HASH = { model: { provider: 'hash', dimensions: 8 } };
const NDJSON = { accept: 'application/x-ndjson' };
const HARD_IDS = [
  'a/b',
  '../../etc/passwd',
  'ünï çø∂é 🦁',
  'a%2Fb',
  '%',
  '?x=1&y=2#z',
  'a b+c',
  '"\\\'',
  '<script>',
  '\n\t',
];

async function withServer<T>(db: Db, work: (url: string) => Promise<T>): Promise<T> {
  const app = testApi(db);
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const made = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(made));
  });
  try {
    const address = server.address();
    return await work(`http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`);
  } finally {
    if ('closeAllConnections' in server) server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

onBothDatabases((database, name) => {
  const app = () => testApi(database().db);
  let made = 0;
  const makeObjects = async (ids: readonly string[], payload = 'text') => {
    const index = await makeIndex(database().db, `objects-${++made}`, HASH);
    for (let at = 0; at < ids.length; at += 500) {
      await putObjects(
        database().db,
        index,
        ids.slice(at, at + 500).map((id) => ({ id, payload: `${payload} ${id}`, metadata: { id } })),
      );
    }
    return index;
  };

  it('returns an object with any id, over a real server', async () => {
    const index = await makeObjects(HARD_IDS);
    await withServer(database().db, async (url) => {
      for (const id of HARD_IDS) {
        const response = await fetch(`${url}/v1/indexes/${index.name}/objects/${encodeURIComponent(id)}`);
        expect([response.status, await response.json()]).toMatchObject([200, { id, metadata: { id }, failed: false }]);
      }
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), async (id) => {
          fc.pre(id !== '.' && id !== '..' && id.isWellFormed() && !id.includes('\0') && !HARD_IDS.includes(id));
          const response = await fetch(`${url}/v1/indexes/${index.name}/objects/${encodeURIComponent(id)}`);
          expect(((await response.json()) as Problem).detail).toBe(`${index.name} has no object ${JSON.stringify(id)}`);
        }),
        { numRuns: 50 },
      );
    });
  });

  it('does not return a deleted object', async () => {
    const index = await makeObjects(['kept', 'deleted']);
    await removeObject(database().db, index.name, 'deleted');
    const { status, body } = await call(app(), 'GET', `/v1/indexes/${index.name}/objects/deleted`);
    expect([status, body.type]).toEqual([404, 'urn:reembed:error:ObjectNotFound']);
    const { body: page } = await call(app(), 'GET', `/v1/indexes/${index.name}/objects`);
    expect(page.objects.map((object: { id: string }) => object.id)).toEqual(['kept']);
  });

  it('pages through all objects once, in the order of their keys', async () => {
    const ids = [...HARD_IDS, ...Array.from({ length: 7 }, (_, at) => `id-${at}`)];
    const index = await makeObjects(ids);
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null; pages++) {
      const query: string = cursor ? `&cursor=${cursor}` : '';
      const { status, body } = await call(app(), 'GET', `/v1/indexes/${index.name}/objects?limit=5${query}`);
      expect([status, body.objects.length <= 5, pages < 5]).toEqual([200, true, true]);
      seen.push(...body.objects.map((object: { id: string }) => object.id));
      cursor = body.cursor;
    }
    expect(seen).toEqual([...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  });

  it('refuses an invalid cursor or limit by name', async () => {
    const index = await makeObjects(['a']);
    for (const [query, path] of [
      ['cursor=zzz', 'query.cursor'],
      ['cursor=', 'query.cursor'],
      [`cursor=${Buffer.from('k:\0').toString('base64url')}`, 'query.cursor'],
      ['limit=0', 'query.limit'],
      ['limit=1001', 'query.limit'],
      ['limit=1e2', 'query.limit'],
      ['limit=5&limit=6', 'query.limit'],
      ['page=3', 'query.page'],
    ]) {
      const { status, body } = await call(app(), 'GET', `/v1/indexes/${index.name}/objects?${query}`);
      expect([query, status, body.issues?.[0].path]).toEqual([query, 400, path]);
    }
  });

  describe('as NDJSON', () => {
    it('streams everything, or what follows a cursor', async () => {
      const ids = Array.from({ length: 250 }, (_, at) => String(at).padStart(3, '0'));
      const index = await makeObjects(ids);
      const all = await call(app(), 'GET', `/v1/indexes/${index.name}/objects`, undefined, NDJSON);
      expect(all.headers.get('content-type')).toBe('application/x-ndjson');
      const read = (text: string) =>
        text
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line).id);
      expect(read(all.body)).toEqual(ids);
      const { body: page } = await call(app(), 'GET', `/v1/indexes/${index.name}/objects?limit=200`);
      const path = `/v1/indexes/${index.name}/objects?cursor=${page.cursor}`;
      expect(read((await call(app(), 'GET', path, undefined, NDJSON)).body)).toEqual(ids.slice(200));
    });

    it('answers with a problem for an unknown index, and with nothing for an empty one', async () => {
      const none = await call(app(), 'GET', '/v1/indexes/none/objects', undefined, NDJSON);
      expect([none.status, none.body.type]).toEqual([404, 'urn:reembed:error:IndexNotFound']);
      await makeIndex(database().db, 'void', HASH);
      const empty = await call(app(), 'GET', '/v1/indexes/void/objects', undefined, NDJSON);
      expect([empty.status, empty.body]).toEqual([200, '']);
    });

    it('reads no further than its reader, and stops when the reader disconnects', async () => {
      if (name === 'pglite') return; // counts the server's own statements
      const ids = Array.from({ length: 2_000 }, (_, at) => `o-${String(at).padStart(5, '0')}`);
      const index = await makeObjects(ids, 'x'.repeat(20_000));
      const { db } = database();
      let pages = 0;
      const counting = db.withPlugin({
        transformQuery: ({ node }) => {
          pages++;
          return node;
        },
        transformResult: async ({ result }) => result,
      });
      await withServer(counting as Db, async (url) => {
        const response = await fetch(`${url}/v1/indexes/${index.name}/objects`, { headers: NDJSON });
        const reader = response.body?.getReader();
        await reader?.read();
        await sleep(500);
        const whileWaiting = pages;
        expect(whileWaiting).toBeLessThan(18);
        await reader?.cancel();
        await sleep(300);
        expect(pages).toBeLessThanOrEqual(whileWaiting + 1);
      });
    });

    it('never ends normally after an error, however fast it was read', async () => {
      const ids = Array.from({ length: 250 }, (_, at) => `o-${String(at).padStart(5, '0')}`);
      const index = await makeObjects(ids, 'x'.repeat(2_000));
      let pages = 0;
      const failing = database().db.withPlugin({
        transformQuery: ({ node }) => {
          if (++pages === 4) throw new Error('secret');
          return node;
        },
        transformResult: async ({ result }) => result,
      });
      await withServer(failing as Db, async (url) => {
        const read = async () => (await fetch(`${url}/v1/indexes/${index.name}/objects`, { headers: NDJSON })).text();
        await expect(read()).rejects.toThrow();
      });
      expect(pages).toBe(4);
    });

    it('aborts the stream when the index is deleted, so that it does not seem complete', async () => {
      const ids = Array.from({ length: 1_500 }, (_, at) => `o-${String(at).padStart(5, '0')}`);
      const index = await makeObjects(ids, 'x'.repeat(20_000));
      const { db } = database();
      await withServer(db, async (url) => {
        const response = await fetch(`${url}/v1/indexes/${index.name}/objects`, { headers: NDJSON });
        const reader = response.body?.getReader();
        await reader?.read();
        await transaction(db, (trx) => markDeleting(trx, index.name, { force: false }));
        await dropIndex(db, index.no);
        const rest = async () => {
          while (!(await reader?.read())?.done);
        };
        await expect(rest()).rejects.toThrow();
      });
    });
  });
});
