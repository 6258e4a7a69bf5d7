import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findProblem } from '../../../src/activities/audit/problem.ts';
import { indexConfigSchema } from '../../../src/contract/indexes.ts';
import type { Payload } from '../../../src/contract/objects.ts';
import { Pace } from '../../../src/cpu/pace.ts';
import { createModels } from '../../../src/models/models.ts';
import { createLoader } from '../../../src/pipeline/load.ts';
import { prepareObjects } from '../../../src/pipeline/prepare.ts';
import type { AuditFacts } from '../../../src/store/protocol/audit.ts';

const CONFIGS = [
  { splitter: { chunkSize: 50, chunkOverlap: 10 }, average: true },
  { splitter: { chunkTokens: 32, overlapTokens: 2, tokenizer: 'estimate' } },
  { splitter: { chunkTokens: 32, overlapTokens: 0, tokenizer: 'estimate', format: 'markdown' } },
].map((over) => indexConfigSchema.parse({ model: { provider: 'hash', dimensions: 8 }, ...over }));

const loader = createLoader({ fileRoots: [], allowPrivateAddresses: true, timeoutMs: 1_000 });
const models = createModels({ env: {} });

/** What the tables hold of an object after a write. */
async function factsOf(payload: Payload, config = CONFIGS[0] as (typeof CONFIGS)[number]): Promise<AuditFacts | null> {
  const embedder = models.embedder(config.model);
  for await (const { ready } of prepareObjects([{ id: 'a', payload }], { config, embedder, loader })) {
    const [object] = ready;
    if (!object) return null;
    const parts = object.parts.filter(({ isAverage }) => !isAverage);
    return {
      ...{ id: 'a', rows: 1, deleted: false, failed: false, hash: object.hash },
      // As it comes back from the database.
      payload: JSON.parse(JSON.stringify(object.payload)),
      numbers: parts.map(({ part }) => part),
      starts: parts.map(({ start }) => start),
      ends: parts.map(({ end }) => end),
      averages: object.parts.filter(({ isAverage }) => isAverage).map(({ part }) => part),
      ...{ otherLength: 0, withoutDirection: 0, notFinite: 0 },
    };
  }
  return null;
}

const LONG =
  'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen';
const problem = (facts: AuditFacts, config = CONFIGS[0] as (typeof CONFIGS)[number]) =>
  findProblem(facts, config, new Pace());

describe('an object that the pipeline has written', () => {
  test('is whole, whatever its text and the splitter are', async () => {
    const words = fc.array(fc.oneof(fc.lorem(), fc.string({ unit: 'grapheme' }), fc.constant('\n\n')), {
      maxLength: 12,
    });
    const payload = fc.oneof(
      words.map((all) => all.join(' ')),
      fc.dictionary(fc.string({ maxLength: 5 }), fc.oneof(fc.lorem({ maxCount: 20 }), fc.double(), fc.boolean())),
    );
    await fc.assert(
      fc.asyncProperty(payload, fc.constantFrom(...CONFIGS), async (given, config) => {
        const stored = JSON.parse(JSON.stringify(given)) as Payload;
        const facts = await factsOf(stored, config);
        if (facts) expect(await problem(facts, config)).toBeNull();
      }),
      { numRuns: 200 },
    );
  });

  test.each([0, 1, 2])('is not whole without its part %i', async (lost) => {
    const facts = (await factsOf(LONG)) as AuditFacts;
    expect(facts.numbers.length).toBeGreaterThan(2);
    const without = <T>(all: T[]) => all.filter((_, at) => at !== lost);
    const [numbers, starts, ends] = [without(facts.numbers), without(facts.starts), without(facts.ends)];
    expect(await problem({ ...facts, numbers, starts, ends })).toBe('part-gaps');
  });

  test('is not whole without its last part, even if nothing else counts its parts', async () => {
    const config = { ...(CONFIGS[0] as (typeof CONFIGS)[number]), average: false };
    const facts = (await factsOf(LONG, config)) as AuditFacts;
    const numbers = facts.numbers.slice(0, -1);
    expect(await problem({ ...facts, numbers }, config)).toBeNull();
    const [starts, ends] = [facts.starts.slice(0, -1), facts.ends.slice(0, -1)];
    expect(await problem({ ...facts, numbers, starts, ends }, config)).toBe('part-gaps');
  });
});

test.each<[Partial<AuditFacts>, string | null]>([
  [{}, null],
  [{ rows: 2 }, 'duplicate'],
  [{ numbers: [0, 1, 1, 2] }, 'duplicate'],
  [{ rows: 0, hash: null, payload: null }, 'orphaned-parts'],
  [{ deleted: true, hash: null, payload: null }, 'orphaned-parts'],
  [{ failed: true, hash: null, payload: null }, 'orphaned-parts'],
  [{ failed: true, hash: null, payload: null, numbers: [], averages: [] }, 'not-embedded'],
  [{ deleted: true, hash: null, payload: null, numbers: [], averages: [] }, null],
  [{ payload: 'other words' }, 'changed'],
  [{ numbers: [], starts: [], ends: [] }, 'without-parts'],
  [{ averages: [7] }, 'part-gaps'],
  [{ averages: [] }, null],
  [{ otherLength: 1, withoutDirection: 1 }, 'vector-length'],
  [{ notFinite: 1, withoutDirection: 1 }, 'vector-not-finite'],
  [{ withoutDirection: 1 }, 'vector-zero'],
])('the facts %j say that an object is %s', async (change, expected) => {
  const facts = (await factsOf(LONG)) as AuditFacts;
  expect(await problem({ ...facts, ...change })).toBe(expected);
});
