import { expect, it } from 'vitest';
import { presetOf } from '../../src/contract/model-presets.ts';
import { reindexSchema } from '../../src/contract/task-bodies.ts';
import { MODEL_NAMES } from '../../src/dashboard/indexes/model-names.ts';
import { emptyOptions, type OptionsDraft, optionsOf } from '../../src/dashboard/indexes/options.ts';
import { filterOf, withCondition } from '../../src/dashboard/search/filter.ts';
import { fieldWords } from '../../src/dashboard/ui/field-words.ts';

it.each([
  ['is required (a string)', 'Enter a value.'],
  ['is required (an integer)', 'Enter a number.'],
  ['must be a number, not a string', 'Enter a number.'],
  ['must be an integer', 'Enter a whole number.'],
  ['must be at most 16000', 'Enter at most 16,000.'],
  ['must be above 0', 'Enter more than 0.'],
  ['must be below 0.5', 'Enter less than 0.5.'],
  ['must have at most 63 characters', 'Enter at most 63 characters.'],
  ['letters, digits and dots', 'Use letters, digits and dots.'],
  ['must be at most half of chunkTokens', 'Must be at most half of the part.'],
  ['did you mean estimate?', 'Did you mean estimate?'],
])('a form says “%s” as “%s”', (message, words) => {
  expect(fieldWords(message)).toBe(words);
});

it('a form asks for a value where there is none, whatever the message', () => {
  expect(fieldWords('lower-case letters, digits', true)).toBe('Enter a value.');
  expect(fieldWords('lower-case letters, digits', false)).toBe('Use lower-case letters, digits.');
});

it('the form of a model offers only well-known models that their provider still has', () => {
  const names = Object.values(MODEL_NAMES).flat();
  expect(names.filter((name) => presetOf(name) === undefined || presetOf(name)?.shutdown)).toEqual([]);
});

const sent = (change: Partial<OptionsDraft>, alias = true) => {
  const body = { source: 'docs', dest: 'docs-v2', ...optionsOf({ ...emptyOptions, ...change }, alias) };
  return { body, parsed: reindexSchema.safeParse(body) };
};

it('the form of a reindex has the defaults of the API filled in', () => {
  expect(sent({}).parsed.data).toEqual(reindexSchema.parse({ source: 'docs', dest: 'docs-v2' }));
});

it('the form of a reindex sends its limits, and whether stored vectors are taken over', () => {
  const { body } = sent({ budgetUsd: 5, budgetCalls: 1_000, ratePerSecond: 20, reuse: false, batchApi: true });
  expect(body).toMatchObject({
    ...{ budget: { usd: 5, calls: 1_000 }, ratePerSecond: 20, reuse: false, batchApi: true },
  });
});

it.each([
  ['1%', 0.01],
  ['0.5 %', 0.005],
  ['50', 50],
  ['no limit', -1],
])('the form of a reindex takes %s as the objects that may fail', (maxFailed, expected) => {
  expect(sent({ maxFailed }).parsed.data?.maxFailed).toBe(expected);
});

it('the form of a reindex sends no nonsense as the objects that may fail', () => {
  expect(sent({ maxFailed: 'few' }).parsed.error?.issues[0]?.path).toEqual(['maxFailed']);
});

it('the form of a reindex sends a watch only if the old index of an alias is kept current', () => {
  const watched: Partial<OptionsDraft> = { watches: true, retire: 'keepCurrent', emptyShare: 7, latencyP95Ratio: 2 };
  const rollBackIf = { emptyShare: 0.07, errorShare: 0.02, latencyP95Ratio: 2, minSearches: 100 };
  expect(sent(watched).parsed.data?.watch).toEqual({ for: '24h', rollBackIf });
  expect(sent(watched, false).body).not.toHaveProperty('watch');
  expect(sent({ ...watched, retire: 'after' }).body).not.toHaveProperty('watch');
  expect(sent({ ...watched, watchFor: '2d' }).parsed.error?.issues[0]?.path).toEqual(['watch', 'for']);
});

it('the form of a reindex sends who decides, for how long, and the shares until then', () => {
  const approved = sent({
    approve: 'verdictAndPerson',
    querySet: 'q',
    timeout: '7d',
    onReject: 'delete',
    shadow: 12.5,
  });
  expect(approved.parsed.data?.approve).toMatchObject({
    ...{ querySet: 'q', onGo: 'wait', onNoGo: 'wait', timeout: '7d', onTimeout: 'reject', onReject: 'delete' },
  });
  expect(approved.body).toMatchObject({ shadow: 0.125 });
  expect(approved.body).not.toHaveProperty('canary');
  expect(sent({ approve: 'auto', canary: 5 }).body).not.toHaveProperty('canary');
});

it('a condition is added to a filter without losing what is there', () => {
  const first = withCondition('', 'year', 'gte', '2020');
  expect(JSON.parse(first)).toEqual({ year: { gte: 2020 } });
  const second = withCondition(first, 'year', 'lt', '2024');
  expect(JSON.parse(second)).toEqual({ year: { gte: 2020, lt: 2024 } });
  expect(JSON.parse(withCondition(second, 'year', 'lt', '2022'))).toEqual({
    and: [{ year: { gte: 2020, lt: 2024 } }, { year: { lt: 2022 } }],
  });
  expect(JSON.parse(withCondition('{"lang": "en"}', 'lang', 'in', 'en, de'))).toEqual({
    and: [{ lang: 'en' }, { lang: { in: ['en', 'de'] } }],
  });
  expect(JSON.parse(withCondition('', 'a', 'exists', ''))).toEqual({ a: { exists: true } });
  for (const text of [first, second]) expect(filterOf(text).issues).toEqual([]);
});

it('a filter is refused with the name of the field', () => {
  expect(filterOf('{"year": {"gte": [1]}}').issues).toMatchObject([{ path: expect.stringContaining('year') }]);
  expect(filterOf('{').issues).toMatchObject([{ path: '', message: expect.stringContaining('must be JSON') }]);
});
