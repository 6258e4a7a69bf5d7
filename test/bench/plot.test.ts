import { expect, test } from 'vitest';
import { plotReports } from '../../bench/plot.ts';
import type { Report } from '../../bench/report.ts';

const summary = (values: number[]) => ({ median: values[1] ?? 0, min: 1, max: 9, values });

test('a plot has a row for each metric with a ratio, and its labels are text, not markup', () => {
  const metric = (name: string, ratio: number | null) =>
    ({
      name,
      unit: 's',
      better: 'higher',
      candidate: summary([1, 2, 3]),
      baseline: summary([2, 2, 2]),
      ratio,
    }) as const;
  const metrics = [metric('speed', 1), metric('nothing to compare with', null)];
  const comparison = { title: 'a < b', candidate: 'ours', baseline: 'theirs', runs: 3, metrics };
  const svg = plotReports([{ benchmark: 'x', comparisons: [comparison] } as unknown as Report]);
  expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(svg).toContain('x, a &lt; b: speed');
  expect(svg).not.toContain('nothing to compare with');
});
