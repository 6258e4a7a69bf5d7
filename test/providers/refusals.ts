import { all, always, batches, error, type Outcome, type Row, raw, status, stops, stored, unless } from './rows.ts';

export const REFUSALS: readonly Row[] = [
  { name: 'a good day', day: always((call) => call.embed()), ...all(stored(3), null) },

  // Refusals of the whole call.
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
    ...all(stops('ModelWrongDimension', 3), 'ModelWrongDimension'),
  },
  {
    name: 'insufficient_quota in the body with 200',
    day: always((call) => call.send(200, error('quota', { code: 'insufficient_quota' }))),
    ...all(stops('ModelQuotaUsedUp', 2), 'ModelQuotaUsedUp'),
  },
  {
    name: '503 with insufficient_quota and Retry-After',
    day: always(status(503, error('quota', { code: 'insufficient_quota' }), { 'retry-after': '1' })),
    ...all(stops('ModelQuotaUsedUp', 2), 'ModelQuotaUsedUp'),
  },
  {
    name: '400 for everything',
    day: always(status(400, error('unknown parameter'))),
    ...all(stops('ModelRejectedInput', 12), 'ModelRejectedInput'),
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

  // Requests to slow down.
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
];
