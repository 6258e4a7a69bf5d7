import {
  all,
  always,
  base64,
  error,
  hasPoison,
  onPoison,
  type Row,
  raw,
  SMALL_TIMEOUT,
  status,
  stored,
  unless,
  waits,
} from './rows.ts';

export const TEXTS_OF_THEIR_OWN: readonly Row[] = [
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
      ...all(
        { ...stored(20, reason === null ? {} : { poison: reason }), odd: ['poison'] },
        alone ?? (reason && 'ModelBadAnswer'),
      ),
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
