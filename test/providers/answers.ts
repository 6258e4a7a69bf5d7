import { gzipSync } from 'node:zlib';
import type { Item } from './provider.ts';
import { all, always, changed, error, once, type Row, raw, stops, stored, unless, waits } from './rows.ts';

export const ANSWERS: readonly Row[] = [
  // Unusual but correct answers.
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
    name: 'the same vector for everything',
    day: always(changed((items) => items.map((item) => ({ ...item, embedding: [1, 2, 3, 4] })))),
    ...all(stops('ModelSameVector', 8), null),
  },
  {
    name: 'other dimensions after the first call',
    day: () => (call) => call.embed(call.items({ dimensions: call.number > 1 ? 3 : 4 })),
    write: stored(3),
    reindex: stops('ModelWrongDimension', 8),
    search: null,
  },
];
