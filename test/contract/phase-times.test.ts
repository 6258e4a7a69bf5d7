import { expect, test } from 'vitest';
import { enterPhase, leavePhase, type PhaseTimes, phaseTimesOf, secondsOf } from '../../src/contract/phase-times.ts';

const at = (seconds: number) => 1_000_000_000_000 + seconds * 1_000;
const iso = (seconds: number) => new Date(at(seconds)).toISOString();

/** Enters each phase at its second. */
const walk = (...steps: [phase: string, second: number][]) =>
  steps.reduce<PhaseTimes>((times, [phase, second]) => enterPhase(times, phase, at(second)), {});

test('a phase ends when the next one begins', () => {
  expect(walk(['lock', 0], ['copy', 2], ['index', 12])).toEqual({
    lock: { start: iso(0), seconds: 2, since: null },
    copy: { start: iso(2), seconds: 10, since: null },
    index: { start: iso(12), seconds: 0, since: iso(12) },
  });
});

test('a phase that is entered again, or repeated, adds up from its first start', () => {
  const times = walk(['lock', 0], ['verify', 1], ['verify', 3], ['approval', 4], ['verify', 100]);
  expect(times.verify).toEqual({ start: iso(1), seconds: 3, since: iso(100) });
  expect(secondsOf(times.verify as NonNullable<typeof times.verify>, at(102.5))).toBe(5.5);
});

test('the first phase starts a new attempt, and a wait for the lock does not', () => {
  expect(walk(['lock', 0], ['lock', 5], ['copy', 9]).lock).toEqual({ start: iso(0), seconds: 9, since: null });
  expect(Object.keys(walk(['lock', 0], ['copy', 9], ['lock', 20]))).toEqual(['lock']);
  const ended = leavePhase(walk(['lock', 0]), at(5));
  expect(enterPhase(ended, 'lock', at(500))).toEqual({ lock: { start: iso(500), seconds: 0, since: iso(500) } });
});

test('no time passes after the last phase has ended', () => {
  const { copy } = leavePhase(walk(['lock', 0], ['copy', 1]), at(4));
  expect(copy && secondsOf(copy, at(999))).toBe(3);
});

test('a tracker without times has none', () => {
  expect(phaseTimesOf({})).toEqual({});
  expect(phaseTimesOf({ phaseTimes: null })).toEqual({});
});
