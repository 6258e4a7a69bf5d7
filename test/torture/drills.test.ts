import { expect, test } from 'vitest';
import { reindexSchema } from '../../src/contract/task-bodies.ts';
import { zeroCounts } from './counts.ts';
import { drillFor, EVENTS, missingEvents, withDrills } from './drills.ts';
import { ATTACKS, planReindexes, type ReindexPlan } from './plans.ts';
import { Random } from './random.ts';

const SEED = Math.floor(Math.random() * 1_000_000);
const URL = 'http://127.0.0.1:1/v1';

const inOrder = <T>(things: T[]) => things;

test.each(EVENTS)(`a drill for "%s" is legal and contains what brings it about (seed ${SEED})`, (event) => {
  const plans = planReindexes(new Random(SEED), URL);
  for (let at = 0; at < 50; at++) {
    const drill = drillFor([event], plans.next().value as ReindexPlan, URL);
    const { fresh, options, shares, decision, maxCalls, turns } = drill;
    expect(drill).toMatchObject({ attack: 'none', back: false, dest: undefined });
    expect(reindexSchema.safeParse({ source: 'live', dest: 'i1', ...fresh, ...options }).error).toBeUndefined();
    const has = {
      approved: decision === 'approve',
      rejected: decision === 'reject',
      readsChanged: shares.length > 1,
      shadowed: shares.some(({ shadow }) => shadow === 1),
      canaried: shares.some(({ canary }) => canary === 1),
      budgetPauses: fresh.destModel?.provider === 'openai' && maxCalls !== null && options.budget?.calls === maxCalls,
      rollbacks: decision === 'approve' && Number(turns) >= 1 && typeof options.retire === 'object',
      rollForwards: decision === 'approve' && Number(turns) >= 2 && typeof options.retire === 'object',
    };
    expect(has[event]).toBe(true);
  }
});

test('every second reindex is a drill until each event has happened', () => {
  const random = new Random(SEED);
  const counts = zeroCounts();
  const plans = withDrills(planReindexes(random, URL), { counts, embeddingUrl: URL, shuffled: inOrder });
  const next = () => plans.next().value as ReindexPlan;
  expect(next().options.approve).toBe('manual');
  next();
  for (const event of EVENTS) {
    expect(missingEvents(counts)[0]).toBe(event);
    expect(next().decision).toBe(event === 'rejected' ? 'reject' : 'approve');
    next();
    counts[event] = 1;
  }
  expect(missingEvents(counts)).toEqual([]);
  // From then on there are no drills, which nothing attacks.
  const attacks = Array.from({ length: 40 }, () => next().attack);
  expect(new Set(attacks)).toEqual(new Set(ATTACKS));
});
