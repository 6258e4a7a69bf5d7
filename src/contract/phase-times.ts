/** Time that a reindex has spent in a phase, over all its visits: some phases are repeated before the switch. */
export type PhaseTime = {
  /** When it first began, in ISO 8601. */
  start: string;
  /** Seconds of its finished visits. */
  seconds: number;
  /** When the current visit began; null if the reindex is in another phase, or has ended. */
  since: string | null;
};

/** Times of the phases of the last attempt of a reindex, by phase, in `data.phaseTimes` of its tracker. */
export type PhaseTimes = { [phase: string]: PhaseTime };

const FIRST_PHASE = 'lock';

/** Returns the times of the phases in the `data` of a tracker; empty if they are unknown. */
export function phaseTimesOf({ phaseTimes }: Record<string, unknown>): PhaseTimes {
  return typeof phaseTimes === 'object' && phaseTimes !== null ? (phaseTimes as PhaseTimes) : {};
}

/** Returns the times after a phase began. The first phase begins an attempt, and forgets the times of the previous one. */
export function enterPhase(times: PhaseTimes, phase: string, nowMs: number): PhaseTimes {
  if (times[phase]?.since) return times;
  const left = phase === FIRST_PHASE ? {} : leavePhase(times, nowMs);
  const since = new Date(nowMs).toISOString();
  return { ...left, [phase]: { start: since, seconds: 0, ...left[phase], since } };
}

/** Returns the times after the current phase ended. */
export function leavePhase(times: PhaseTimes, nowMs: number): PhaseTimes {
  return Object.fromEntries(
    Object.entries(times).map(([phase, time]) => [phase, { ...time, seconds: secondsOf(time, nowMs), since: null }]),
  );
}

/** Returns the seconds of a phase until now, with its current visit. */
export function secondsOf({ seconds, since }: PhaseTime, nowMs: number): number {
  const current = since === null ? 0 : Math.max(0, nowMs - Date.parse(since)) / 1_000;
  return Math.round((seconds + current) * 1_000) / 1_000;
}
