import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isJudged, ndcgAt, recallAt, reciprocalRankAt } from '../../src/evaluation/judged.ts';
import { overlapAt, rankBiasedOverlap, rankDisplacement } from '../../src/evaluation/unjudged.ts';

/** Measures that Python libraries computed for random rankings; `fixtures/independent.py` prints them. */
interface Recorded {
  cases: {
    grades: Record<string, number>;
    left: string[];
    right: string[];
    leftMeasures: Measures;
    rightMeasures: Measures;
    rbo: Record<string, number> | null;
  }[];
}
interface Measures {
  ndcg: Record<string, number>;
  recall: Record<string, number>;
  reciprocalRank: number;
}

const FIXTURES = path.join(import.meta.dirname, 'fixtures');
const SCRIPT = path.join(FIXTURES, 'independent.py');
const python = process.env.EVALUATION_PYTHON ?? 'python3';

function expectSame({ cases }: Recorded): void {
  expect(cases.length).toBe(60);
  for (const { grades, left, right, leftMeasures, rightMeasures, rbo } of cases) {
    const judged = new Map(Object.entries(grades));
    for (const [ranking, measures] of [
      [left, leftMeasures],
      [right, rightMeasures],
    ] as const) {
      for (const [k, value] of Object.entries(measures.ndcg)) expect(ndcgAt(ranking, judged, +k)).toBeCloseTo(value, 9);
      for (const [k, value] of Object.entries(measures.recall)) {
        expect(recallAt(ranking, judged, +k)).toBeCloseTo(value, 9);
      }
      expect(reciprocalRankAt(ranking, judged, ranking.length)).toBeCloseTo(measures.reciprocalRank, 9);
    }
    for (const [p, value] of Object.entries(rbo ?? {})) {
      expect(rankBiasedOverlap(left, right, +p)).toBeCloseTo(value, 9);
    }
  }
}

describe('the measures', () => {
  test('have the values that pytrec_eval and rbo recorded', () => {
    expectSame(JSON.parse(readFileSync(path.join(FIXTURES, 'independent.json'), 'utf8')));
  });

  const hasPython = spawnSync(python, ['-c', 'import pytrec_eval, rbo']).status === 0;
  if (!hasPython) console.warn('NO pytrec_eval AND rbo: the run of the independent measures is SKIPPED');
  test.skipIf(!hasPython)('have the values that pytrec_eval and rbo compute now', () => {
    expectSame(JSON.parse(execFileSync(python, [SCRIPT], { encoding: 'utf8', maxBuffer: 2 ** 26 })));
  });

  const ids = Array.from({ length: 30 }, (_, at) => `d${at}`);
  const ranking = fc.shuffledSubarray(ids);
  const grades = fc.dictionary(fc.constantFrom(...ids), fc.integer({ min: 0, max: 4 })).map((record) => {
    return new Map(Object.entries(record));
  });
  const depth = fc.integer({ min: 1, max: 35 });

  test('are 1 for a ranking by grade with all relevant objects, and never outside 0 to 1', () => {
    fc.assert(
      fc.property(ranking, grades, depth, (found, judged, k) => {
        fc.pre(isJudged(judged));
        const best = [...judged].sort(([, left], [, right]) => right - left).map(([id]) => id);
        expect(ndcgAt(best, judged, k)).toBeCloseTo(1, 12);
        expect(recallAt(best, judged, 30)).toBe(1);
        expect(reciprocalRankAt(best, judged, k)).toBe(1);
        for (const measure of [ndcgAt, recallAt, reciprocalRankAt]) {
          expect(measure(found, judged, k)).toBeGreaterThanOrEqual(0);
          expect(measure(found, judged, k)).toBeLessThanOrEqual(1 + 1e-12);
        }
      }),
    );
  });

  test('do not fall when a relevant object moves one place up', () => {
    fc.assert(
      fc.property(ranking, grades, depth, fc.nat(), (found, judged, k, pick) => {
        fc.pre(found.length > 1);
        const at = 1 + (pick % (found.length - 1));
        const [above, below] = [found[at - 1] as string, found[at] as string];
        fc.pre((judged.get(below) ?? 0) >= (judged.get(above) ?? 0));
        const moved = [...found];
        [moved[at - 1], moved[at]] = [below, above];
        for (const measure of [ndcgAt, recallAt, reciprocalRankAt]) {
          expect(measure(moved, judged, k)).toBeGreaterThanOrEqual(measure(found, judged, k) - 1e-12);
        }
      }),
    );
  });

  test('are 0 without a relevant object', () => {
    expect(isJudged(new Map([['d1', 0]]))).toBe(false);
    for (const measure of [ndcgAt, recallAt, reciprocalRankAt])
      expect(measure(['d1'], new Map([['d1', 0]]), 3)).toBe(0);
  });

  test('of two rankings do not depend on their order, are perfect for equal ones and worst for disjoint ones', () => {
    fc.assert(
      fc.property(ranking, ranking, depth, (left, right, k) => {
        for (const measure of [overlapAt, rankDisplacement]) {
          expect(measure(left, right, k)).toBeCloseTo(measure(right, left, k), 12);
        }
        expect(rankBiasedOverlap(left, right)).toBeCloseTo(rankBiasedOverlap(right, left), 12);
        expect(overlapAt(left, left, k)).toBe(1);
        expect(rankBiasedOverlap(left, left)).toBeCloseTo(1, 12);
        expect(rankDisplacement(left, left, k)).toBe(0);
        expect(rankBiasedOverlap(left, right)).toBeLessThanOrEqual(1 + 1e-12);
        const others = right.map((id) => `other ${id}`);
        fc.pre(left.length > 0);
        expect(overlapAt(left, others, k)).toBe(0);
        expect(rankBiasedOverlap(left, others)).toBeCloseTo(0, 12);
      }),
    );
  });

  test('say by how many places an object moves', () => {
    expect(rankDisplacement(['a', 'b', 'c'], ['b', 'a', 'c'], 3)).toBeCloseTo(2 / 3);
    // c falls out: from place 3 to place 4; d comes from place 4 to place 3.
    expect(rankDisplacement(['a', 'b', 'c'], ['a', 'b', 'd'], 3)).toBeCloseTo(2 / 4);
  });

  test('weigh a change at the top more than one at the bottom', () => {
    const all = ids.slice(0, 10);
    const atTop = [...all.slice(1, 2), ...all.slice(0, 1), ...all.slice(2)];
    const atEnd = [...all.slice(0, 8), ...all.slice(9), ...all.slice(8, 9)];
    expect(rankBiasedOverlap(all, atTop)).toBeLessThan(rankBiasedOverlap(all, atEnd));
  });
});
