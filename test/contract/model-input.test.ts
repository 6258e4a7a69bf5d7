import { describe, expect, test } from 'vitest';
import { modelInputSchema, withDefaults } from '../../src/contract/model-input.ts';
import { MODEL_PRESETS, presetOf } from '../../src/contract/model-presets.ts';
import { modelSchema } from '../../src/contract/models.ts';

const parse = (model: unknown) => modelInputSchema.safeParse(model);
const problemsOf = (model: unknown) =>
  parse(model).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('a well-known model', () => {
  test('needs no more than its provider and name', () => {
    expect(parse({ provider: 'openai', name: 'BAAI/bge-small-en-v1.5' }).data).toMatchObject({
      dimensions: 384,
      windowTokens: 512,
      queryPrefix: 'Represent this sentence for searching relevant passages: ',
      sendDimensions: false,
    });
  });

  test('is asked for fewer dimensions, and only then', () => {
    expect(parse({ provider: 'google', name: 'gemini-embedding-001', dimensions: 768 }).data).toMatchObject({
      ...{ dimensions: 768, sendDimensions: true, normalize: true },
    });
    const whole = parse({ provider: 'google', name: 'gemini-embedding-001' }).data;
    expect(whole).toMatchObject({ dimensions: 3_072, sendDimensions: false });
    expect(whole).not.toHaveProperty('normalize');
  });

  test('keeps what was given', () => {
    const given = { dimensions: 384, windowTokens: 100, queryPrefix: '', documentPrefix: 'd: ', sendDimensions: true };
    const asked = { provider: 'ollama', name: 'multilingual-e5-small', ...given };
    expect(parse(asked).data).toMatchObject(given);
    expect(withDefaults(asked).defaults).toBeNull();
  });

  test('says what was filled in, and why', () => {
    expect(withDefaults({ provider: 'ollama', name: 'e5-small-v2', dimensions: 384 }).defaults).toEqual({
      fields: ['windowTokens', 'queryPrefix', 'documentPrefix'],
      source: 'https://huggingface.co/intfloat/multilingual-e5-small',
    });
  });

  test('is complete, so that it is stored and read as it is', () => {
    const model = parse({ provider: 'voyage', name: 'voyage-4-large' }).data;
    expect(modelSchema.parse(model)).toEqual(model);
  });
});

test.each([
  ['bge-m3', 1_024],
  ['baai/BGE-M3', 1_024],
  ['qwen3-embedding:4b', 2_560],
  ['nomic-embed-text:latest', 768],
  ['eu.cohere.embed-v4:0', 1_536],
  ['mine', undefined],
  ['constructor', undefined],
])('the dimensions of %s are %s', (name, dimensions) => {
  expect(presetOf(name)?.dimensions).toBe(dimensions);
});

test('each name of a known model stands once, in lower case, with a page', () => {
  const names = MODEL_PRESETS.flatMap((preset) => preset.names);
  expect(names.filter((name, at) => names.indexOf(name) !== at || name !== name.toLowerCase())).toEqual([]);
  expect(MODEL_PRESETS.filter(({ source }) => !source.startsWith('https://'))).toEqual([]);
});

test('the dimensions of an unknown model must be given', () => {
  expect(problemsOf({ provider: 'cohere', name: 'mine' })).toEqual([expect.stringMatching(/^dimensions: .*number/)]);
});

test.each([
  ['voyage-4-large', 'voyage-4-lite', []],
  ['mine', 'mine-small', []],
  ['voyage-4-large', 'voyage-3-large', ['queryModel']],
  ['voyage-3-large', 'voyage-3.5', ['queryModel']],
  ['mine', 'voyage-4-lite', ['queryModel']],
])('queries for vectors of %s may be embedded by %s unless there are problems: %j', (name, queryModel, fields) => {
  const problems = parse({ provider: 'voyage', name, dimensions: 1_024, queryModel }).error?.issues ?? [];
  expect(problems.map(({ path }) => path.join('.'))).toEqual(fields);
});

test.each([
  ['an address that needs no project', { provider: 'vertex', name: 'text-embedding-005' }, 'project'],
  [
    'a host in a location',
    { provider: 'vertex', name: 'm', dimensions: 4, project: 'p1', location: 'x.evil/' },
    'location',
  ],
  ['a host in a region', { provider: 'bedrock', name: 'm', dimensions: 4, region: 'eu-central-1.evil' }, 'region'],
  ['no address of a resource', { provider: 'azure', name: 'm', dimensions: 4 }, 'baseUrl'],
  ['fields of another provider', { provider: 'cohere', name: 'm', dimensions: 4, region: 'eu-west-1' }, ''],
])('a model with %s is refused', (_, model, field) => {
  expect(parse(model).error?.issues[0]?.path.join('.')).toBe(field);
});

describe('extraBody', () => {
  const problemsWith = (extraBody: unknown) =>
    problemsOf({ provider: 'openai', name: 'm', dimensions: 4, extraBody }).join('\n');

  test('is kept as it is', () => {
    const extraBody = { user: 'search', options: { num_ctx: 8192, list: [1, null, true] } };
    expect(parse({ provider: 'ollama', name: 'm', dimensions: 4, extraBody }).data).toMatchObject({ extraBody });
  });

  test.each([
    ['model', { model: 'other' }, 'extraBody.model: must not be set here: it decides the model'],
    ['input', { Input: ['x'] }, 'extraBody.Input: must not be set here: it decides the texts'],
    ['truncation', { truncate: true }, 'long texts, which are never cut'],
    ['a key', { api_key: 'sk-1' }, 'extraBody.api_key: must not hold a key'],
    ['a key within', { a: { 'X-Access-Token': 'sk-1' } }, 'extraBody.a.X-Access-Token: must not hold a key'],
    ['too much', { text_of: 'x'.repeat(5_000) }, 'must have at most 4096 bytes'],
    ['too deep a value', { a: { b: { c: { d: { e: { f: 1 } } } } } }, 'extraBody.'],
    ['an array', [1], 'extraBody: '],
  ])('is refused with %s', (_, extraBody, problem) => {
    expect(problemsWith(extraBody)).toContain(problem);
  });

  test('is refused where requests are signed or have an object for each text', () => {
    expect(problemsOf({ provider: 'google', name: 'm', dimensions: 4, extraBody: { a: 1 } })).toHaveLength(1);
  });
});
