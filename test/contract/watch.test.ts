import { describe, expect, test } from 'vitest';
import { fieldIssues } from '../../src/contract/issues.ts';
import { reindexSchema } from '../../src/contract/task-bodies.ts';
import { exceededBounds, type RollBackIf } from '../../src/contract/watch.ts';

const KEPT = { after: '24h', keepCurrent: true };
const BOUND = { emptyShare: 0.1 };

function issuesOf(watch: unknown, retire: unknown = KEPT) {
  const { error } = reindexSchema.safeParse({ source: 'docs', dest: 'docs-v2', watch, retire });
  return error === undefined ? [] : fieldIssues(error);
}

describe('a watch of a reindex', () => {
  test('is as long as the old index is kept current at most, and needs a hundred searches by default', () => {
    for (const time of ['24h', 86_400, '1m', '1d']) expect(issuesOf({ for: time, rollBackIf: BOUND })).toEqual([]);
    const parsed = reindexSchema.parse({
      ...{ source: 'docs', dest: 'docs-v2', retire: KEPT },
      watch: { for: '24h', rollBackIf: BOUND },
    });
    expect(parsed.watch?.rollBackIf).toEqual({ emptyShare: 0.1, minSearches: 100 });
  });

  const bound = (rollBackIf: unknown) => ({ for: '1h', rollBackIf });
  test.each<[string, unknown, unknown, string, string]>([
    [
      'is longer than the index is kept',
      { for: '25h', rollBackIf: BOUND },
      KEPT,
      'watch.for',
      'at most `retire.after`',
    ],
    [
      'has an index that is not kept current',
      bound(BOUND),
      { after: '24h' },
      'watch',
      'needs `retire` with `keepCurrent`',
    ],
    ['has an index that is kept anyway', bound(BOUND), 'never', 'watch', 'needs `retire` with `keepCurrent`'],
    ['is shorter than a minute', { for: '59s', rollBackIf: BOUND }, KEPT, 'watch.for', 'at least 1m'],
    ['has no bound', bound({}), KEPT, 'watch.rollBackIf', 'at least one bound: emptyShare'],
    ['has only a number of searches', bound({ minSearches: 5 }), KEPT, 'watch.rollBackIf', 'at least one bound'],
    ['has a misspelled bound', bound({ emtyShare: 1 }), KEPT, 'watch.rollBackIf.emtyShare', 'did you mean emptyShare?'],
    [
      'has an unknown bound',
      bound({ ndcg: 1 }),
      KEPT,
      'watch.rollBackIf.ndcg',
      'emptyShare, errorShare, latencyP95Ratio',
    ],
    ['has a share of zero', bound({ errorShare: 0 }), KEPT, 'watch.rollBackIf.errorShare', 'above 0 and at most 1'],
    ['has a share in percent', bound({ emptyShare: 5 }), KEPT, 'watch.rollBackIf.emptyShare', 'above 0 and at most 1'],
    ['has a ratio of one', bound({ latencyP95Ratio: 1 }), KEPT, 'watch.rollBackIf.latencyP95Ratio', 'above 1'],
    ['needs no searches', bound({ ...BOUND, minSearches: 0 }), KEPT, 'watch.rollBackIf.minSearches', 'at least 1'],
    ['has an unknown field', { ...bound(BOUND), until: '1h' }, KEPT, 'watch.until', 'is not a known field'],
  ])('is refused if it %s', (_what, watch, retire, path, message) => {
    expect(issuesOf(watch, retire)).toContainEqual({ path, message: expect.stringContaining(message) });
  });
});

describe('the bounds of a watch', () => {
  const figures = (searches: number, emptyShare: number, errorShare: number, latencyP95Ms: number) => ({
    ...{ searches, emptyShare, errorShare, latencyP95Ms },
  });
  const before = figures(200, 0.01, 0, 20);
  const all: RollBackIf = { emptyShare: 0.1, errorShare: 0.02, latencyP95Ratio: 2, minSearches: 100 };

  test('are not exceeded by figures that reach them', () => {
    expect(exceededBounds(all, figures(100, 0.1, 0.02, 40), before)).toEqual([]);
  });

  test('are each exceeded by a figure above, which is named with the bound', () => {
    expect(exceededBounds(all, figures(100, 0.11, 0.03, 41), before)).toEqual([
      'emptyShare 0.11 exceeds 0.1',
      'errorShare 0.03 exceeds 0.02',
      'latencyP95Ratio 2.05 exceeds 2 (p95 41 ms, before the switch 20 ms)',
    ]);
    expect(exceededBounds({ errorShare: 0.5, minSearches: 1 }, figures(100, 1, 0.5, 999), before)).toEqual([]);
  });

  test('are not judged with too few searches, nor is the ratio with too few before the switch', () => {
    expect(exceededBounds(all, figures(99, 1, 0, 999), before)).toBeNull();
    expect(exceededBounds(all, figures(100, 0, 0, 999), figures(99, 0, 0, 20))).toEqual([]);
    const none = { searches: 0, emptyShare: null, errorShare: null, latencyP95Ms: null };
    expect(exceededBounds(all, figures(100, 0, 0, 999), none)).toEqual([]);
  });
});
