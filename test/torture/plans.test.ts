import { expect, test } from 'vitest';
import { reindexSchema } from '../../src/contract/task-bodies.ts';
import { planReindexes, type ReindexPlan } from './plans.ts';
import { Random } from './random.ts';

const SEED = Math.floor(Math.random() * 1_000_000);

test(`a reindex that is planned is never refused for its input (seed ${SEED})`, () => {
  const plans = planReindexes(new Random(SEED), 'http://127.0.0.1:1/v1');
  const some = Array.from({ length: 300 }, () => plans.next().value as ReindexPlan);
  for (const { fresh, options } of some) {
    const { error } = reindexSchema.safeParse({ source: 'live', dest: 'i1', ...fresh, ...options });
    expect(error?.issues, JSON.stringify(options)).toBeUndefined();
  }
  const has = (what: (plan: ReindexPlan) => boolean) => some.some(what);
  expect({
    shadow: has(({ shares }) => shares.some(({ shadow }) => shadow > 0)),
    canary: has(({ shares }) => shares.some(({ canary }) => canary > 0)),
    end: has(({ shares }) => shares.length > 1 && shares.at(-1)?.shadow === 0 && shares.at(-1)?.canary === 0),
    shadowAfterSwitch: has(({ decision, shares }) => decision === null && shares.length > 0),
    budget: has(({ maxCalls, fresh }) => maxCalls !== null && fresh.destModel?.provider === 'openai'),
  }).toEqual({ shadow: true, canary: true, end: true, shadowAfterSwitch: true, budget: true });
});
