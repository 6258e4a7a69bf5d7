import { expect, test } from 'vitest';
import { type Contender, compare } from '../../bench/harness.ts';
import { formatReport } from '../../bench/report.ts';

const say = () => {};
const metrics = [{ name: 'rate', unit: 'writes/s', better: 'higher' }] as const;

/** Answers with these figures, one run after the other, and records the runs. */
function contender(name: string, figures: number[], order: string[] = []): Contender<'rate'> {
  const left = [...figures];
  return {
    name,
    async run() {
      order.push(name);
      return { rate: left.shift() ?? Number.NaN };
    },
  };
}

test('two contenders run in pairs, and who goes first alternates', async () => {
  const order: string[] = [];
  const candidate = contender('A', [0, 1, 1, 1], order);
  const baseline = contender('B', [0, 1, 1, 1], order);
  await compare({ title: 'x', metrics, candidate, baseline }, { runs: 3, say });
  expect(order.join('')).toBe('AB' + 'BA' + 'AB' + 'BA');
});

test('the warm-up is not counted, and the ratio is that of the medians', async () => {
  const candidate = contender('A', [1_000, 30, 10, 20]);
  const baseline = contender('B', [1_000, 4, 100, 5]);
  const { metrics: compared } = await compare({ title: 'x', metrics, candidate, baseline }, { runs: 3, say });
  expect(compared).toEqual([
    {
      ...metrics[0],
      candidate: { median: 20, min: 10, max: 30, values: [30, 10, 20] },
      baseline: { median: 5, min: 4, max: 100, values: [4, 100, 5] },
      ratio: 4,
    },
  ]);
});

test('a report shows the medians, the ratio and the machine', async () => {
  const comparison = await compare(
    { title: 'upserts', metrics, candidate: contender('ours', [0, 1234.5]), baseline: contender('theirs', [0, 500]) },
    { runs: 1, say },
  );
  const machine = { cpu: 'Z80', cores: 2, memoryGib: 4, platform: 'linux x64', versions: { node: '20.19.0' } };
  expect(formatReport({ benchmark: 'x', time: '', machine, comparisons: [comparison] })).toBe(
    `x on 2 × Z80, 4 GiB, linux x64, node 20.19.0

upserts          ours                    theirs            ratio  better is
rate (writes/s)  1,235 (1,235 to 1,235)  500 (500 to 500)  2.47   higher
median (min to max) of 1 runs each`,
  );
});
