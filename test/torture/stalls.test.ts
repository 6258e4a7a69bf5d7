import { expect, test } from 'vitest';
import { describeStalls } from './stalls.ts';

const probe = (fromMs: number, toMs: number, heldBackMs = 0) => ({ fromMs, toMs, heldBackMs });

test('stalls are those of the writes in progress while writers were blocked', () => {
  const drains = [{ fromMs: 100, toMs: 140 }];
  const before = probe(0, 90);
  const into = probe(80, 160, 40);
  const within = probe(110, 130);
  const after = probe(150, 400);
  const { stallMs, waitedMs, metMs, usualMs, drainMs } = describeStalls([before, into, within, after], drains);
  expect(drainMs).toMatchObject({ count: 1, max: 40 });
  expect(stallMs).toMatchObject({ count: 2, p50: 20, max: 40 });
  expect(waitedMs).toMatchObject({ count: 1, p50: 40 });
  expect(metMs).toMatchObject({ count: 2, max: 80 });
  expect(usualMs).toMatchObject({ count: 2, max: 250 });
});

test('a delayed write counts even if the start of the cut-over was not observed', () => {
  expect(describeStalls([probe(0, 500, 300)], []).stallMs).toMatchObject({ count: 1, max: 300 });
});
