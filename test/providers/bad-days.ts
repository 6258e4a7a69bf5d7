import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { ErrorType } from '../../src/contract/errors.ts';
import type { Call, Day, Item } from './provider.ts';

/** What becomes of a write or a reindex. */
export type Outcome = {
  /** Most calls until then. */
  calls: number;
  /** Objects whose vectors the provider makes up. */
  odd?: string[];
} & (
  | {
      /** All objects have their vectors but those that are on the failed list with a reason. */
      ends: 'stored';
      failed?: Record<string, string>;
    }
  /** The tracker says what for; once the provider is well, all objects are stored. */
  | { ends: 'waits'; because: ErrorType; resume?: boolean }
  /** A write fails, a reindex pauses unless the model can never be used as configured (`fails`); once the provider is well and it is asked to go on, all objects are stored. */
  | { ends: 'stops'; because: ErrorType; fails?: boolean }
);

export interface Row {
  name: string;
  day(): Day;
  /** Instead of that of the provider. */
  baseUrl?: string;
  config?: Record<string, unknown>;
  write: Outcome;
  reindex: Outcome;
  /** The type of the problem that a search answers with; null: it has hits. */
  search: ErrorType | null;
}

const error = (message: string, more: object = {}) => ({ error: { message, type: 'invalid_request_error', ...more } });
const always = (answer: Day) => () => answer;
const status =
  (code: number, body: unknown = error(`status ${code}`), headers?: Record<string, string>): Day =>
  (call) =>
    call.send(code, body, headers);
const raw =
  (body: string | Buffer, headers: Record<string, string> = {}, code = 200): Day =>
  ({ response }) =>
    void response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(body);
const changed =
  (change: (items: Item[], call: Call) => unknown[]): Day =>
  (call) =>
    call.embed(change(call.items(), call));
/** One object has something of its own. */
const onPoison =
  (change: (item: Item, call: Call) => unknown): Day =>
  (call) =>
    call.embed(call.items().map((item, at) => (isPoison(call.texts[at] ?? '') ? change(item, call) : item)));
const isPoison = (text: string) => text.includes('poison');
const hasPoison = ({ texts }: Call) => texts.some(isPoison);
const unless =
  (isBad: (call: Call) => boolean, bad: Day): Day =>
  (call) =>
    isBad(call) ? bad(call) : call.embed();
const batches = ({ texts }: Call) => texts.length > 1;
/** Only of the first call of more than one text, or of the first call at all. */
const once = (bad: Day) => () => {
  let isOver = false;
  return ((call) => {
    if (isOver) return call.embed();
    isOver = true;
    return bad(call);
  }) as Day;
};

const stored = (calls: number, failed?: Record<string, string>): Outcome => ({
  ends: 'stored',
  calls,
  ...(failed && { failed }),
});
const waits = (because: ErrorType, calls: number): Outcome => ({ ends: 'waits', because, calls });
const stops = (because: ErrorType, calls: number): Outcome => ({ ends: 'stops', because, calls });
const all = (outcome: Outcome, search: ErrorType | null) => ({ write: outcome, reindex: outcome, search });
const SMALL_TIMEOUT = { timeoutMs: 1_000 };

export const ROWS: readonly Row[] = [
  { name: 'a good day', day: always((call) => call.embed()), ...all(stored(3), null) },

  // Refusals of the whole of it.
  { name: '401', day: always(status(401)), ...all(stops('ModelUnauthorized', 2), 'ModelUnauthorized') },
  { name: '403', day: always(status(403)), ...all(stops('ModelUnauthorized', 2), 'ModelUnauthorized') },
  {
    name: '404 of OpenAI',
    day: always(status(404, error('The model does not exist', { code: 'model_not_found' }))),
    ...all(stops('ModelNotFound', 2), 'ModelNotFound'),
  },
  {
    name: '404 of Ollama',
    day: always(status(404, error('model "m" not found, try pulling it first', { type: 'api_error' }))),
    ...all(stops('ModelNotFound', 2), 'ModelNotFound'),
  },
  {
    name: '404 of a web server',
    day: always(raw('<html>not here</html>', { 'content-type': 'text/html' }, 404)),
    ...all(stops('ModelNotFound', 2), 'ModelNotFound'),
  },
  { name: '402', day: always(status(402)), ...all(stops('ModelQuotaUsedUp', 2), 'ModelQuotaUsedUp') },
  {
    name: '429 with insufficient_quota',
    day: always(status(429, error('You exceeded your current quota', { code: 'insufficient_quota' }))),
    ...all(stops('ModelQuotaUsedUp', 2), 'ModelQuotaUsedUp'),
  },
  {
    name: 'redirect to another host',
    day: always(({ response }) => void response.writeHead(307, { location: 'http://127.0.0.1:9/v1/embeddings' }).end()),
    ...all({ ...stops('ModelRefused', 2), fails: true } as Outcome, 'ModelRefused'),
  },
  {
    name: 'wrong dimension',
    day: always((call) => call.embed(call.items({ dimensions: 3 }))),
    ...all({ ...stops('ModelWrongDimension', 3), fails: true } as Outcome, 'ModelWrongDimension'),
  },

  // Calls that are too large.
  {
    name: '400, at most 2 texts, stated',
    day: always(
      unless(
        ({ texts }) => texts.length > 2,
        status(400, error('batch size is invalid, it should not be larger than 2')),
      ),
    ),
    ...all(stored(16), null),
  },
  {
    name: '400, at most 2 texts, not stated',
    day: always(unless(({ texts }) => texts.length > 2, status(400, error('Bad Request')))),
    ...all(stored(24), null),
  },
  {
    name: '413, at most 2 texts',
    day: always(
      unless(
        ({ texts }) => texts.length > 2,
        raw('<html>413 Request Entity Too Large</html>', { 'content-type': 'text/html' }, 413),
      ),
    ),
    ...all(stored(24), null),
  },
  {
    name: '422, one text',
    day: always(unless(batches, status(422, { detail: 'only one input' }))),
    ...all(stored(40), null),
  },

  // Asks to slow down.
  ...(
    [
      ['in seconds', '1'],
      ['as a date', 'DATE'],
      ['huge', '3000000'],
      ['negative', '-5'],
      ['0', '0'],
      ['nonsense', 'soon'],
      ['absent', undefined],
    ] as const
  ).map(
    ([name, value]): Row => ({
      name: `429, Retry-After ${name}`,
      day: () => (call) => {
        const after = value === 'DATE' ? new Date(Date.now() + 2_000).toUTCString() : value;
        call.send(
          429,
          error('Rate limit reached', { code: 'rate_limit_exceeded' }),
          after === undefined ? {} : { 'retry-after': after },
        );
      },
      write: { ends: 'waits', because: 'ModelRateLimited', calls: 8, resume: name === 'huge' },
      reindex: { ends: 'waits', because: 'ModelRateLimited', calls: 8, resume: name === 'huge' },
      search: 'ModelRateLimited',
    }),
  ),

  // Out of order.
  { name: '500', day: always(status(500)), ...all(waits('ModelUnavailable', 12), 'ModelUnavailable') },
  {
    name: '502 with HTML',
    day: always(raw('<html><h1>502 Bad Gateway</h1></html>', { 'content-type': 'text/html' }, 502)),
    ...all(waits('ModelUnavailable', 12), 'ModelUnavailable'),
  },
  { name: '503', day: always(status(503)), ...all(waits('ModelUnavailable', 12), 'ModelUnavailable') },
  {
    name: '503 with Retry-After',
    day: always(status(503, error('overloaded'), { 'retry-after': '1' })),
    ...all(waits('ModelRateLimited', 12), 'ModelRateLimited'),
  },
  { name: '504', day: always(status(504)), ...all(waits('ModelUnavailable', 12), 'ModelUnavailable') },
  {
    name: '529',
    day: always(status(529, error('Overloaded', { type: 'overloaded_error' }))),
    ...all(waits('ModelUnavailable', 12), 'ModelUnavailable'),
  },
  {
    name: 'a dropped connection',
    day: always(({ response }) => void response.destroy()),
    ...all(waits('ModelUnavailable', 12), 'ModelUnavailable'),
  },
  {
    name: 'a connection dropped within the answer',
    day: always(({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"data":[');
      setTimeout(() => response.destroy(), 20);
    }),
    ...all(waits('ModelUnavailable', 12), 'ModelUnavailable'),
  },
  {
    name: 'a refused connection',
    day: always((call) => call.embed()),
    baseUrl: 'http://127.0.0.1:1/v1',
    ...all(waits('ModelUnavailable', 0), 'ModelUnavailable'),
  },
  {
    name: 'a name that is not found',
    day: always((call) => call.embed()),
    baseUrl: 'http://no-such-host.invalid/v1',
    ...all(waits('ModelUnavailable', 0), 'ModelUnavailable'),
  },
  { name: '500 once', day: once(status(500)), ...all(stored(6), null) },

  // Time.
  {
    name: 'never answers',
    day: always(() => {}),
    config: SMALL_TIMEOUT,
    ...all(waits('ModelUnavailable', 12), 'ModelUnavailable'),
  },
  {
    name: 'never answers, with a long time limit',
    day: always(() => {}),
    config: { timeoutMs: 20_000 },
    ...all(waits('ModelUnavailable', 4), 'SearchTimeout'),
  },
  {
    name: 'trickles bytes',
    day: always(async ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      while (!response.destroyed) {
        response.write(' ');
        await delay(100);
      }
    }),
    config: SMALL_TIMEOUT,
    ...all(waits('ModelUnavailable', 12), 'ModelUnavailable'),
  },
  {
    name: 'a slow body',
    day: always(async (call) => {
      const { response } = call;
      response.writeHead(200, { 'content-type': 'application/json' });
      const text = JSON.stringify({ data: call.items() });
      for (let at = 0; at < text.length; at += Math.ceil(text.length / 4)) {
        response.write(text.slice(at, at + Math.ceil(text.length / 4)));
        await delay(100);
      }
      response.end();
    }),
    ...all(stored(3), null),
  },

  // What is no answer.
  {
    name: 'half a JSON',
    day: always(raw('{"object":"list","data":[{"embedding":[0.1,')),
    ...all(waits('ModelBadAnswer', 12), 'ModelBadAnswer'),
  },
  { name: 'an empty body', day: always(raw('')), ...all(waits('ModelBadAnswer', 12), 'ModelBadAnswer') },
  { name: '{}', day: always(raw('{}')), ...all(waits('ModelBadAnswer', 12), 'ModelBadAnswer') },
  {
    name: '204',
    day: always(({ response }) => void response.writeHead(204).end()),
    ...all(waits('ModelBadAnswer', 12), 'ModelBadAnswer'),
  },
  { name: 'data: []', day: always((call) => call.embed([])), ...all(waits('ModelBadAnswer', 12), 'ModelBadAnswer') },
  {
    name: 'data: null',
    day: always((call) => call.send(200, { data: null })),
    ...all(waits('ModelBadAnswer', 12), 'ModelBadAnswer'),
  },
  {
    name: 'HTML with 200',
    day: always(raw('<html>welcome</html>', { 'content-type': 'text/html' })),
    ...all(waits('ModelBadAnswer', 12), 'ModelBadAnswer'),
  },
  {
    name: 'an error in the body with 200',
    day: always((call) => call.send(200, error('upstream failed'))),
    ...all(waits('ModelUnavailable', 12), 'ModelUnavailable'),
  },
  {
    name: 'an error beside empty data with 200',
    day: always((call) => call.send(200, { ...error('upstream failed'), data: [] })),
    ...all(waits('ModelUnavailable', 12), 'ModelUnavailable'),
  },
  {
    name: 'gzip that is none',
    day: always(raw('{"data":[]}', { 'content-encoding': 'gzip' })),
    ...all(waits('ModelBadAnswer', 12), 'ModelBadAnswer'),
  },
  {
    name: 'gzip that is cut off',
    day: always((call) =>
      raw(gzipSync(JSON.stringify({ data: call.items() })).subarray(0, 40), { 'content-encoding': 'gzip' })(call),
    ),
    ...all(waits('ModelBadAnswer', 12), 'ModelBadAnswer'),
  },
  {
    name: 'hundreds of megabytes',
    day: always(async ({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const piece = Buffer.alloc(1024 * 1024, ' ');
      for (let mb = 0; mb < 400 && !response.destroyed; mb++) if (!response.write(piece)) await delay(5);
      response.end();
    }),
    ...all(waits('ModelBadAnswer', 12), 'ModelBadAnswer'),
  },

  // Answers that are odd and right.
  {
    name: 'a wrong content type',
    day: always((call) => raw(JSON.stringify({ data: call.items() }), { 'content-type': 'text/plain' })(call)),
    ...all(stored(3), null),
  },
  {
    name: 'a byte order mark',
    day: always((call) => raw(`\uFEFF${JSON.stringify({ data: call.items() })}`)(call)),
    ...all(stored(3), null),
  },
  {
    name: 'gzip',
    day: always((call) => raw(gzipSync(JSON.stringify({ data: call.items() })), { 'content-encoding': 'gzip' })(call)),
    ...all(stored(3), null),
  },
  { name: 'another order', day: always(changed((items) => items.toReversed())), ...all(stored(3), null) },
  {
    name: 'no index',
    day: always(changed((items) => items.map(({ embedding }) => ({ embedding })))),
    ...all(stored(3), null),
  },
  {
    name: 'numbers though base64 was asked for',
    day: always((call) => call.embed(call.items({ bytes: false }))),
    ...all(stored(3), null),
  },
  { name: 'base64 always', day: always((call) => call.embed(call.items({ bytes: true }))), ...all(stored(3), null) },
  {
    name: 'no encoding_format',
    day: always((call) =>
      call.encoding === undefined ? call.embed() : call.send(400, error('unknown field encoding_format')),
    ),
    ...all(stored(5), null),
  },
  {
    name: 'no encoding_format, without a word on it',
    day: always((call) => (call.encoding === undefined ? call.embed() : call.send(422, { detail: 'Unprocessable' }))),
    ...all(stored(5), null),
  },
  {
    name: 'base64 refused',
    day: always((call) =>
      call.encoding === 'base64' ? call.send(400, error('encoding_format must be float')) : call.embed(),
    ),
    ...all(stored(4), null),
  },
  {
    name: 'base64 makes it fail',
    day: always((call) =>
      call.encoding === 'base64' ? call.send(500, error('base64 is not implemented')) : call.embed(),
    ),
    ...all(stored(4), null),
  },

  // Vectors that cannot be assigned.
  {
    name: 'fewer vectors',
    day: always(changed((items) => (items.length > 1 ? items.slice(1) : items))),
    ...all(stored(40), null),
  },
  {
    name: 'more vectors',
    day: always(changed((items) => [...items, { ...(items[0] as Item), index: items.length }])),
    ...all(waits('ModelBadAnswer', 12), 'ModelBadAnswer'),
  },
  {
    name: 'one index for all',
    day: always(changed((items) => items.map((item) => ({ ...item, index: 0 })))),
    ...all(stored(40), null),
  },
  {
    name: 'indexes from 1',
    day: always(changed((items) => items.map((item, at) => ({ ...item, index: at + 1 })))),
    ...all(waits('ModelBadAnswer', 12), 'ModelBadAnswer'),
  },
  {
    name: 'indexes as texts',
    day: always(changed((items) => items.map((item, at) => ({ ...item, index: String(at) })))),
    ...all(waits('ModelBadAnswer', 12), 'ModelBadAnswer'),
  },
  { name: 'fewer vectors once', day: once(changed((items) => items.slice(1))), ...all(stored(6), null) },
  {
    name: 'more than 3 texts get no data',
    day: always(
      unless(
        ({ texts }) => texts.length > 3,
        (call) => call.embed([]),
      ),
    ),
    ...all(stored(40), null),
  },
  {
    name: 'other dimensions after the first call',
    day: () => (call) => call.embed(call.items({ dimensions: call.number > 1 ? 3 : 4 })),
    write: stored(3),
    reindex: stops('ModelWrongDimension', 8),
    search: null,
  },

  // One bad text.
  ...(
    [
      ['an empty vector', () => [], 'ModelBadAnswer'],
      ['null for a vector', () => null, 'ModelBadAnswer'],
      ['a short vector', () => [1, 2, 3], 'ModelBadAnswer', 'ModelWrongDimension'],
      ['null in a vector', () => [1, null, 3, 4], 'ModelBadAnswer'],
      ['a text in a vector', () => [1, '2', 3, 4], 'ModelBadAnswer'],
      ['numbers too large', () => [1e300, 1, 1, 1], 'InvalidVector'],
      ['numbers too large for half precision', () => [1e6, 1, 1, 1], null],
      ['a zero vector', () => [0, 0, 0, 0], 'ZeroVector'],
      ['NaN in base64', () => base64([Number.NaN, 1, 1, 1]), 'ModelBadAnswer'],
      ['base64 of a wrong length', () => 'AAAAAAA=', 'ModelBadAnswer'],
      ['base64 of too few numbers', () => base64([1, 2]), 'ModelBadAnswer', 'ModelWrongDimension'],
      ['no base64', () => '***', 'ModelBadAnswer'],
    ] as const
  ).map(
    ([name, embedding, reason, alone]): Row => ({
      name: `${name} for one text`,
      day: always(onPoison((item) => ({ ...item, embedding: embedding() }))),
      ...all({ ...stored(20, reason === null ? {} : { poison: reason }), odd: ['poison'] }, reason && 'ModelBadAnswer'),
    }),
  ),
  {
    name: 'NaN as a word for one text',
    day: always(
      unless(hasPoison, (call) =>
        raw(JSON.stringify({ data: call.items({ bytes: false }) }).replace('"embedding":[', '"embedding":[NaN,'))(call),
      ),
    ),
    ...all(stored(30, { poison: 'ModelBadAnswer' }), 'ModelBadAnswer'),
  },
  {
    name: '500 for one text',
    day: always(unless(hasPoison, status(500, error('the input length exceeds the context length')))),
    ...all(stored(20, { poison: 'ModelUnavailable' }), 'ModelUnavailable'),
  },
  {
    name: '400 for one text',
    day: always(unless(hasPoison, status(400, error('the text is not allowed')))),
    ...all(stored(20, { poison: 'ModelRejectedInput' }), 'ModelRejectedInput'),
  },
  {
    name: '413 for one text',
    day: always(unless(hasPoison, status(413))),
    ...all(stored(20, { poison: 'ModelRejectedInput' }), 'ModelRejectedInput'),
  },
  {
    name: 'a dropped connection for one text',
    day: always(unless(hasPoison, ({ response }) => void response.destroy())),
    ...all(stored(20, { poison: 'ModelUnavailable' }), 'ModelUnavailable'),
  },
  {
    name: 'no answer for one text',
    day: always(unless(hasPoison, () => {})),
    config: SMALL_TIMEOUT,
    ...all(stored(30, { poison: 'ModelUnavailable' }), 'ModelUnavailable'),
  },
  {
    name: '429 for one text',
    day: always(unless(hasPoison, status(429, error('Rate limit reached')))),
    ...all(waits('ModelRateLimited', 30), 'ModelRateLimited'),
  },
];

function base64(numbers: readonly number[]): string {
  return Buffer.from(Float32Array.from(numbers).buffer).toString('base64');
}
