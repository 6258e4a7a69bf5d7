import { afterEach, describe, expect, test } from 'vitest';
import { modelSchema } from '../../../src/contract/models.ts';
import { batchesOf } from '../../../src/models/batches/batches.ts';
import type { BatchAnswer, BatchInterface } from '../../../src/models/batches/interface.ts';
import { openaiAnswer } from '../../../src/models/batches/openai-answer.ts';
import { type BatchServer, type BatchServerOptions, startBatchServer } from '../../support/batch-server.ts';

const ID = '00000000-0000-4000-8000-000000000001';
const { signal } = new AbortController();
const vectorOf = (text: string) => [text.length, 1];

describe('batches of OpenAI', () => {
  let server: BatchServer | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  async function given(options: Partial<BatchServerOptions> = {}, fields: object = {}): Promise<BatchInterface> {
    server = await startBatchServer({ vectorOf, ...options });
    const config = modelSchema.parse({
      ...{ provider: 'openai', name: 'm', dimensions: 2, baseUrl: server.url, apiKeyEnv: 'BATCH_KEY', ...fields },
    });
    const key = { variable: 'BATCH_KEY', hostname: '127.0.0.1', port: null, plain: true };
    const batches = batchesOf(config, { env: { BATCH_KEY: 'secret-key' }, keys: [key] });
    if (!batches) throw new Error('openai has no batches');
    return batches;
  }

  async function answersTo(batches: BatchInterface, id: string): Promise<BatchAnswer[]> {
    const answers: BatchAnswer[] = [];
    for await (const answer of batches.answers(id, signal)) answers.push(answer);
    return answers;
  }

  test('have a request for each text, with the prefix and the fields of the model', async () => {
    const batches = await given({}, { documentPrefix: 'doc: ', sendDimensions: true, extraBody: { user: 'u' } });
    expect(JSON.parse(batches.requestOf(ID, 'lion\n"x"').toString())).toEqual({
      ...{ custom_id: ID, method: 'POST', url: '/v1/embeddings' },
      body: { user: 'u', model: 'm', input: 'doc: lion\n"x"', encoding_format: 'base64', dimensions: 2 },
    });
  });

  test('are sent with the key, and answered with the vectors by id and the tokens', async () => {
    const batches = await given({ apiKey: 'secret-key', tokens: 3 });
    const { id, state } = await batches.submit('name', [batches.requestOf(ID, 'zebra ü')], signal);
    expect(state).toBe('running');
    expect(await batches.look(id, signal)).toMatchObject({ id, state: 'ended', answered: 1, total: 1 });
    const vector = Float32Array.from(vectorOf('zebra ü'));
    expect(await answersTo(batches, id)).toEqual([{ id: ID, kind: 'vector', vector, tokens: 3 }]);
  });

  test('are found by their name among more jobs than a page has, unless they were canceled', async () => {
    const batches = await given({ looks: 1_000 });
    const { id } = await batches.submit('mine', [batches.requestOf(ID, 'a')], signal);
    for (let at = 0; at < 120; at++) await batches.submit(`other-${at}`, [batches.requestOf(ID, 'a')], signal);
    expect((await batches.find('mine', Date.now(), signal))?.id).toBe(id);
    expect(await batches.find('no one', Date.now(), signal)).toBeNull();
    await batches.cancel(id, signal);
    expect(await batches.find('mine', Date.now(), signal)).toBeNull();
  });

  test('are forgotten with all their files, also twice', async () => {
    const outcomeOf = (text: string) => (text === 'b' ? { status: 400 } : ('answer' as const));
    const batches = await given({ outcomeOf });
    const { id } = await batches.submit(
      'name',
      ['a', 'b'].map((text) => batches.requestOf(text, text)),
      signal,
    );
    await batches.look(id, signal);
    expect(server?.files.size).toBe(3);
    await batches.forget(id, signal);
    expect(server?.files.size).toBe(0);
    await batches.forget(id, signal);
    expect(await answersTo(batches, id)).toEqual([]);
  });

  test.each([
    ['token_limit_exceeded', 'tooMuch'],
    ['billing_hard_limit_reached', 'quota'],
    ['invalid_json_line', 'other'],
  ])('that fail with %s have the problem %s', async (code, kind) => {
    const batches = await given({ refuse: () => ({ code, message: 'so it is' }) });
    const { id } = await batches.submit('name', [batches.requestOf(ID, 'a')], signal);
    expect(await batches.look(id, signal)).toMatchObject({ state: 'failed', problem: { kind, message: 'so it is' } });
  });

  test.each([
    [404, 'no such path', 'ModelNotFound'],
    [401, 'the key secret-key is wrong', 'ModelUnauthorized'],
    [500, 'broken', 'ModelUnavailable'],
  ])('throw for HTTP %s the error of a model, without the key', async (status, message, type) => {
    const batches = await given({ fail: () => ({ status, body: { error: { message } } }) });
    const error = await batches.find('name', 0, signal).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ type, message: expect.not.stringContaining('secret-key') });
  });

  test('throw an error for an answer that is not a batch', async () => {
    const batches = await given({ fail: () => ({ status: 200, body: { hello: 'world' } }) });
    await expect(batches.find('name', 0, signal)).rejects.toMatchObject({ type: 'ModelBadAnswer' });
  });
});

describe('a line of an answer file', () => {
  const config = { dimensions: 2 };
  const read = (line: object) =>
    openaiAnswer(JSON.stringify({ custom_id: ID, ...line }), { config, label: 'model "m"' });
  const answered = (embedding: unknown) => ({ status_code: 200, body: { data: [{ index: 0, embedding }] } });

  test.each([
    ['an expired request', { response: null, error: { code: 'batch_expired' } }, 'again', 'batch_expired'],
    ['a limit', { response: { status_code: 429, body: {} } }, 'again', 'HTTP 429'],
    ['a failure of the server', { response: { status_code: 500, body: null } }, 'again', 'HTTP 500'],
    [
      'a refused text',
      { response: { status_code: 400, body: { error: { code: 'too_long' } } } },
      'refused',
      'HTTP 400 too_long',
    ],
    ['a vector with a hole', { response: answered([1, null]) }, 'refused', expect.stringContaining('at dimension 1')],
  ])('with %s says what to do', (_title, line, kind, why) => {
    expect(read(line)).toMatchObject({ id: ID, kind, why });
  });

  test('is paid for if the provider has answered, whether its vector is usable or not', () => {
    const body = { data: [{ index: 0, embedding: [1, null] }], usage: { total_tokens: 7 } };
    expect(read({ response: { status_code: 200, body } })).toMatchObject({ kind: 'refused', tokens: 7 });
    expect(read({ response: answered([1, null]) })).toMatchObject({ kind: 'refused', tokens: null });
    expect(read({ response: { status_code: 400, body: {} } })).not.toHaveProperty('tokens');
  });

  test('with another dimension concerns the whole model', () => {
    expect(() => read({ response: answered([1, 2, 3]) })).toThrow(
      expect.objectContaining({ type: 'ModelWrongDimension' }),
    );
  });

  test('that is not one is skipped', () => {
    expect(openaiAnswer('{"half', { config, label: '' })).toBeUndefined();
    expect(openaiAnswer('{"custom_id": 7}', { config, label: '' })).toBeUndefined();
  });

  test('has its vector at length 1 if the model is normalized', () => {
    const answer = openaiAnswer(JSON.stringify({ custom_id: ID, response: answered([3, 4]) }), {
      config: { dimensions: 2, normalize: true },
      label: '',
    });
    expect(answer).toEqual({ id: ID, kind: 'vector', vector: [0.6, 0.8], tokens: null });
  });
});
