const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Converts a duration to milliseconds: `90s`, `20m`, `24h`, `7d`, or a number of seconds. */
export function durationMs(duration: number | string): number {
  if (typeof duration === 'number') return duration * 1_000;
  const [, amount, unit] = /^([\d.]+)\s*(ms|s|m|h|d)$/.exec(duration) ?? [];
  return Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

/** Formats whole milliseconds in the largest unit that needs no fraction: `90s`, `2h`, `0s`. */
export function durationText(ms: number): string {
  const [unit, size] = Object.entries(UNIT_MS).findLast(([, size]) => ms >= size && ms % size === 0) ?? ['s', 1_000];
  return `${ms / size}${unit}`;
}
