import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { all, always, error, type Outcome, once, type Row, raw, SMALL_TIMEOUT, status, stored, waits } from './rows.ts';

export const OUTAGES: readonly Row[] = [
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
    baseUrl: 'nobody listens',
    ...all({ ...waits('ModelUnavailable', 0), lasts: true } as Outcome, 'ModelUnavailable'),
  },
  {
    name: 'a name that is not found',
    day: always((call) => call.embed()),
    baseUrl: 'http://no-such-host.invalid/v1',
    ...all({ ...waits('ModelUnavailable', 0), lasts: true } as Outcome, 'ModelUnavailable'),
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
];
