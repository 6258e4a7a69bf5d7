import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeIndex, openWorld, type World } from '../temporal/support.ts';
import { testApi } from './support.ts';

let world: World;
let app: ReturnType<typeof testApi>;
let index: string;
beforeAll(async () => {
  world = await openWorld();
  await world.startWorkers();
  app = testApi(world.db, { client: world.client, taskQueue: world.taskQueue });
  index = (await makeIndex(world.db)).name;
});
afterAll(() => world?.close());

const JSON_TYPE = { 'content-type': 'application/json' };

async function send(
  method: string,
  path: string,
  body: string | Uint8Array,
  headers: Record<string, string> = JSON_TYPE,
) {
  const response = await app.request(`http://127.0.0.1${path}`, { method, body: body as never, headers });
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every shape
  return { status: response.status, body: (await response.json()) as any };
}

/** Every way to send a JSON value, with the value's place in the body. */
const INPUTS: Record<
  string,
  (value: string) => [method: string, path: string, body: string, headers?: Record<string, string>]
> = {
  'the metadata of an upsert': (value) => [
    'POST',
    '/v1/tasks/upsert/run',
    `{"index":"${index}","items":[{"id":"a","payload":"text","metadata":{"x":${value}}}]}`,
  ],
  'the payload of an upsert': (value) => [
    'POST',
    '/v1/tasks/upsert/run',
    `{"index":"${index}","items":[{"id":"a","payload":{"x":${value}}}]}`,
  ],
  'an item of a large body': (value) => [
    'POST',
    '/v1/tasks/upsert/run',
    `{"items":[{"id":"b","payload":"${'long '.repeat(30_000)}"},{"id":"a","payload":{"x":${value}}}],"index":"${index}"}`,
  ],
  'a line': (value) => [
    'POST',
    `/v1/tasks/upsert/run?index=${index}`,
    `{"id":"b","payload":"text"}\n{"id":"a","payload":"text","metadata":{"x":${value}}}\n`,
    { 'content-type': 'application/x-ndjson' },
  ],
  'a filter': (value) => ['POST', `/v1/indexes/${index}/search`, `{"text":"text","filter":{"x":${value}}}`],
  'the input of a job': (value) => ['POST', '/v1/jobs/mail/run', `{"input":{"x":${value}}}`],
  'the input of a job task': (value) => ['POST', '/v1/tasks/job/run', `{"name":"mail","input":{"x":${value}}}`],
  'the input of a schedule': (value) => ['PUT', '/v1/schedules/mail/k', `{"every":"1h","input":{"x":${value}}}`],
};

describe.each(Object.keys(INPUTS))('%s', (input) => {
  const sendIn = (value: string) => send(...(INPUTS[input] as (typeof INPUTS)[string])(value));

  test.each([
    ['9007199254740993', 'must be between'],
    ['1e400', 'must be at most'],
    ['0.12345678901234567890', 'would be stored as'],
    ['"\\ud800"', 'must be well-formed Unicode'],
    ['{"a":1,"a":2}', 'must not occur twice'],
    [`${'['.repeat(300)}1${']'.repeat(300)}`, 'must not be nested deeper'],
    [`[${'0,'.repeat(200_000)}0]`, 'must not have more than'],
  ])('is refused with the name of the field if a value cannot be kept', async (value, message) => {
    const { status, body } = await sendIn(value);
    expect([status, body.detail]).toEqual([400, expect.stringContaining(message)]);
    expect(body.issues[0].path).toMatch(/(^|[. ])x(\.|$)/);
  });
});

describe('a body', () => {
  test('is refused in another charset or compressed, and accepted with a byte order mark', async () => {
    const body = `{"text":"text"}`;
    const search = `/v1/indexes/${index}/search`;
    const typed = (type: string, more = {}) => send('POST', search, body, { 'content-type': type, ...more });
    expect((await typed('application/json; charset=utf-8')).status).toBe(200);
    expect((await typed('application/json; charset="UTF-8"; x=y')).status).toBe(200);
    expect((await typed('application/json; charset=iso-8859-1')).status).toBe(415);
    expect((await typed('application/json', { 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await typed('text/plain')).status).toBe(415);
    expect((await send('POST', search, Buffer.from(body), {})).status).toBe(415);
    expect((await send('POST', search, `\uFEFF${body}`)).status).toBe(200);
    const upsert = `\uFEFF{"index":"${index}","items":[{"id":"bom","payload":"text"}]}`;
    expect((await send('POST', '/v1/tasks/upsert/run', upsert)).status).toBe(202);
  });

  test('is refused with the offset of the byte if it is not UTF-8, in every form', async () => {
    const bytes = (text: string) => Buffer.concat([Buffer.from(text), Buffer.of(0xff), Buffer.from('"}')]);
    const text = '{"text":"';
    const { status, body } = await send('POST', `/v1/indexes/${index}/search`, bytes(text));
    expect([status, body.detail]).toEqual([
      400,
      `the body is not UTF-8: the byte at offset ${text.length} is not valid`,
    ]);
    const line = '{"id":"a","payload":"';
    const lines = await send('POST', `/v1/tasks/upsert/run?index=${index}`, bytes(line), {
      'content-type': 'application/x-ndjson',
    });
    expect([lines.status, lines.body.detail]).toEqual([
      400,
      `line 1: is not UTF-8: the byte at offset ${line.length} is not valid`,
    ]);
  });

  test('may have keys that are special in JavaScript: they are stored and filtered by', async () => {
    const odd = '{"__proto__":{"a":1},"nested":{"__proto__":{"b":2},"constructor":{"prototype":3}}}';
    const items = `[{"id":"odd","payload":{"__proto__":"hidden","t":"text"},"metadata":${odd}},{"id":"plain","payload":"text","metadata":{"k":2}}]`;
    const run = await send('POST', '/v1/tasks/upsert/run?wait=true', `{"index":"${index}","items":${items}}`);
    expect([run.status, run.body.status]).toEqual([200, 'done']);
    const response = await app.request(`http://127.0.0.1/v1/indexes/${index}/objects/odd`);
    const text = await response.text();
    expect(text).toContain('"__proto__": {"a": 1}'.replaceAll(': ', ':'));
    expect(text).toContain('"__proto__":"hidden"');
    for (const filter of [
      '{"__proto__":{"a":1}}',
      '{"nested":{"__proto__":{"b":2}}}',
      '{"nested":{"constructor":{}}}',
    ]) {
      const found = await send('POST', `/v1/indexes/${index}/search`, `{"text":"text","filter":${filter}}`);
      expect([filter, found.body.hits.map(({ id }: { id: string }) => id)]).toEqual([filter, ['odd']]);
    }
    const none = await send('POST', `/v1/indexes/${index}/search`, '{"text":"text","filter":{"__proto__":{"a":2}}}');
    expect(none.body.hits).toEqual([]);
    const refused = await send('POST', `/v1/indexes/${index}/search`, '{"text":"text","__proto__":{"filter":{}}}');
    expect([refused.status, refused.body.issues[0].path]).toEqual([400, '__proto__']);
  });

  test('with many items has the same result when it is large, whatever surrounds them', async () => {
    const items = Array.from(
      { length: 3_000 },
      (_, at) => `{ "id" : "m${at}",\n"payload" : "text, [with] {marks} \\" ${at}" }`,
    );
    const whole = (list: string[], rest = '') =>
      `{ "\\u0069tems" : [ ${list.join(' , ')} ] , "index":"${index}"${rest}}`;
    const done = await send('POST', '/v1/tasks/upsert/run?wait=true', whole(items));
    expect([done.body.status, done.body.data?.written]).toEqual(['done', 3_000]);
    for (const [body, path] of [
      [whole([...items, '{"id":"m7","payload":"x"}']), 'items.3000.id'],
      [whole([...items, '{"id":"z"}']), 'items.3000.payload'],
      [whole([...items, '17']), 'items.3000'],
      [whole(items, ',"colour":1'), 'colour'],
      [whole(items, ',"items":[]'), 'items'],
      [whole([...items, '{"id":"z" "payload":"x"}']), 'items.3000'],
    ] as const) {
      const { status, body: problem } = await send('POST', '/v1/tasks/upsert/run', body);
      expect([status, problem.issues?.[0]?.path]).toEqual([400, path]);
    }
    for (const body of [whole(items).slice(0, -1), whole([...items, '']), `${whole(items)}]`, `[${whole(items)}]`]) {
      expect((await send('POST', '/v1/tasks/upsert/run', body)).status).toBe(400);
    }
  });
});
