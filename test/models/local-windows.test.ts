import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { averaged, runsOf, windowsOf } from '../../src/models/local-windows.ts';

const MARKS = [101, 102] as const;

describe('the windows of a text', () => {
  test('hold all its tokens once and in order, each within what the model reads, between the marks', () => {
    fc.assert(
      fc.property(fc.nat(2_000), fc.integer({ min: 3, max: 512 }), (count, max) => {
        const tokens = Array.from({ length: count }, (_, at) => at + 1_000);
        const windows = windowsOf(7, tokens, max, MARKS);
        expect(windows.flatMap(({ ids }) => ids.slice(1, -1))).toEqual(tokens);
        for (const { ids, text } of windows) {
          expect([ids[0], ids.at(-1), text]).toEqual([101, 102, 7]);
          expect(ids.length).toBeLessThanOrEqual(max);
        }
      }),
    );
  });

  test('are one for a text without tokens', () => {
    expect(windowsOf(0, [], 256, MARKS)).toEqual([{ text: 0, ids: [101, 102] }]);
  });
});

test('the runs of a model hold all windows once, and are bounded with their padding', () => {
  const lengths = fc.array(fc.integer({ min: 2, max: 512 }), { maxLength: 200 });
  fc.assert(
    fc.property(lengths, (all) => {
      const windows = all.map((length, text) => ({ text, ids: new Array<number>(length).fill(1) }));
      const runs = runsOf(windows);
      expect(runs.flat().length).toBe(windows.length);
      expect(new Set(runs.flat())).toEqual(new Set(windows));
      for (const run of runs) {
        expect(run.length).toBeLessThanOrEqual(32);
        expect(run.length * Math.max(...run.map(({ ids }) => ids.length))).toBeLessThanOrEqual(4_096);
      }
    }),
  );
});

test('the vector of a text is the average of its windows, weighted by their tokens, with length 1', () => {
  const window = (text: number, tokens: number) => ({ text, ids: new Array<number>(tokens).fill(1) });
  const vectors = averaged(
    2,
    [
      { window: window(1, 3), vector: Float32Array.of(0, 10) },
      { window: window(0, 2), vector: Float32Array.of(5, 0) },
      { window: window(1, 4), vector: Float32Array.of(1, 0) },
    ],
    2,
  );
  expect([...vectors]).toEqual([1, 0, expect.closeTo(0.8), expect.closeTo(0.6)]);
});
