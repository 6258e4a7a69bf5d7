import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../../src/contract/limits.ts';
import type { Call } from './calls.ts';
import type { HostileServers } from './servers.ts';

/** Legal calls with the maximum cost. */
export interface Attack {
  name: string;
  /** Indexes to create first, by name. */
  indexes?: (servers: HostileServers) => Record<string, object>;
  /** Returns the concurrent calls of a turn; the first turn is 0. */
  calls: (turn: number, servers: HostileServers) => Call[];
}

const HASH = { provider: 'hash', dimensions: 32 };
const MB = 1024 * 1024;
const JSON_TYPE = { 'content-type': 'application/json' };
const LINES = 'application/x-ndjson';
const EVENTS = { accept: 'text/event-stream' };
/** The machine is small for all of this at once: a slow search is not an error here. */
const PATIENCE_SECONDS = 100;
const BIG = 'big';
const ACCEPTED = [200, 202] as const;
const REFUSED = [400, 413] as const;

const SENTENCE = 'the quick brown fox jumps over the lazy dog and runs on ';
const textOf = (chars: number) => SENTENCE.repeat(Math.ceil(chars / SENTENCE.length)).slice(0, chars);
const repeat = (count: number, call: (at: number) => Call) => Array.from({ length: count }, (_, at) => call(at));

/** Bodies are made once, which leaves the machine to the processes under test. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function post(path: string, body: unknown, legal: readonly number[]): Call {
  return { method: 'POST', path, body: bytesOf(body), headers: JSON_TYPE, legal };
}

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

const UPSERT = '/v1/tasks/upsert/run';
const DELETE = '/v1/tasks/delete/run';
const SEARCH = `/v1/indexes/${BIG}/search`;

const largeLines = once(() => {
  const line = (at: number) => JSON.stringify({ id: `big-${at}`, payload: textOf(LIMITS.payloadBytes - 100) });
  return Buffer.from(`${line(0)}\n${line(1)}\n${line(2)}\n`);
});
const manyParts = once(() => bytesOf({ index: 'parts', items: [{ id: 'parts', payload: textOf(MB) }] }));
const hugeTexts = once(() => {
  const items = (payload: string) => Buffer.from(`{"index":"${BIG}","items":[{"id":"a","payload":${payload}}]}`);
  const ids = Array.from({ length: LIMITS.itemsPerCall }, (_, at) => `${'x'.repeat(500)}${at}`);
  const many = Array.from({ length: LIMITS.itemsPerCall }, (_, at) => ({ id: `m-${at}`, payload: textOf(3_000) }));
  return {
    refused: [
      Buffer.from(`]"${'a'.repeat(900_000)}`),
      Buffer.from('['.repeat(31 * MB)),
      items('['.repeat(200_000) + ']'.repeat(200_000)),
      items(`[${'0,'.repeat(5_000_000)}0]`),
    ],
    escapes: items(`"${'\\u0061'.repeat(5_000_000)}"`),
    ids: bytesOf({ index: BIG, ids }),
    many: bytesOf({ index: BIG, items: many }),
  };
});
const filters = once(() => {
  const wide = Object.fromEntries(Array.from({ length: 9_000 }, (_, at) => [`key-${at}`, at]));
  let deep: unknown = 1;
  for (let level = 0; level < 60; level++) deep = { a: [deep] };
  const search = { text: 'a fox', limit: LIMITS.searchLimit, timeoutSeconds: PATIENCE_SECONDS };
  return [wide, deep as object, { text: textOf(60_000) }].map((filter) => bytesOf({ ...search, filter }));
});

export const ATTACKS: readonly Attack[] = [
  {
    name: 'largest objects',
    indexes: () => ({ [BIG]: { model: HASH } }),
    calls: () => [
      {
        method: 'POST',
        path: `${UPSERT}?index=${BIG}`,
        body: largeLines(),
        headers: { 'content-type': LINES },
        legal: ACCEPTED,
      },
    ],
  },
  {
    name: 'most parts',
    indexes: () => ({ parts: { model: HASH, splitter: { chunkSize: 50, chunkOverlap: 25 } } }),
    calls: () => [post(UPSERT, manyParts(), ACCEPTED)],
  },
  {
    name: 'longest model answers',
    indexes: ({ modelUrl }) => ({
      endless: { model: { provider: 'openai', name: 'endless', dimensions: 16, baseUrl: modelUrl, timeoutMs: 20_000 } },
    }),
    calls: () => [
      ...repeat(2, () => ({
        ...post('/v1/indexes/endless/search', { text: 'a lion' }, []),
        legalTypes: /Model|SearchTimeout/,
      })),
      post(UPSERT, { index: 'endless', items: [{ id: 'a', payload: 'text' }] }, ACCEPTED),
    ],
  },
  {
    name: 'most URIs',
    indexes: () => ({ uris: { model: HASH } }),
    calls: (turn, { textUrl }) => {
      const items = Array.from({ length: 512 }, (_, at) => ({ id: `u-${at}`, uri: `${textUrl}/${turn}/${at}` }));
      return [post(UPSERT, { index: 'uris', items, maxAttempts: 1 }, ACCEPTED)];
    },
  },
  {
    name: 'deepest and longest JSON',
    indexes: () => ({ [BIG]: { model: HASH } }),
    calls: () => {
      const { refused, escapes, ids, many } = hugeTexts();
      return [
        ...refused.map((body) => post(UPSERT, body, REFUSED)),
        post(UPSERT, escapes, ACCEPTED),
        post(UPSERT, many, ACCEPTED),
        post(DELETE, ids, [...ACCEPTED, ...REFUSED]),
      ];
    },
  },
  {
    name: 'widest filters',
    indexes: () => ({ [BIG]: { model: HASH } }),
    calls: () => filters().map((body) => post(SEARCH, body, [200, ...REFUSED])),
  },
  {
    name: 'largest answers',
    indexes: () => ({ [BIG]: { model: HASH } }),
    calls: () => [
      ...repeat(4, () =>
        post(SEARCH, { text: 'brown fox', limit: LIMITS.searchLimit, timeoutSeconds: PATIENCE_SECONDS }, [200]),
      ),
      ...repeat(2, () => ({ method: 'GET', path: `/v1/indexes/${BIG}/objects?limit=1000`, legal: [200] })),
      ...repeat(2, () => ({
        method: 'GET',
        path: `/v1/indexes/${BIG}/objects`,
        headers: { accept: LINES },
        leave: { afterMs: 3_000, reads: false },
        legal: [200],
      })),
    ],
  },
  {
    name: '1000 clients',
    calls: (turn) => {
      const paths = ['/v1/tasks/list?limit=1000', '/v1/indexes', '/v1/stats', '/v1/me', '/openapi.json'];
      return repeat(1_000, (at) => ({
        method: 'GET',
        path: paths[(at + turn) % paths.length] as string,
        legal: [200],
      }));
    },
  },
  {
    name: 'streams of events',
    calls: () =>
      repeat(200, (at) => ({
        method: 'GET',
        path: `/v1/tasks/list?limit=${(at % 50) + 1}`,
        headers: EVENTS,
        leave: { afterMs: 500 + at * 10, reads: at % 2 === 0 },
        legal: [200],
      })),
  },
  {
    name: 'HEAD of streams',
    indexes: () => ({ [BIG]: { model: HASH } }),
    calls: () =>
      repeat(200, (at) =>
        at % 2 === 0
          ? { method: 'HEAD', path: '/v1/tasks/list', headers: EVENTS, legal: [200] }
          : { method: 'HEAD', path: `/v1/indexes/${BIG}/objects`, headers: { accept: LINES }, legal: [200] },
      ),
  },
  {
    name: 'bodies that trickle',
    indexes: () => ({ [BIG]: { model: HASH } }),
    calls: () =>
      repeat(100, () => ({
        method: 'POST',
        path: `${UPSERT}?index=${BIG}`,
        pieces: trickle(),
        headers: { 'content-type': LINES },
        legal: [400],
      })),
  },
];

async function* trickle(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < 20; at++) {
    yield Buffer.from('{');
    await sleep(200);
  }
}
