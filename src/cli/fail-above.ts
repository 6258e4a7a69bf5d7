import { InvalidArgumentError } from 'commander';
import { durationSchema } from '../contract/duration-schema.ts';
import { durationMs } from '../contract/durations.ts';
import type { Figure, ReindexPlan } from '../contract/plan.ts';

/** A limit of a plan, as given on the command line. */
export interface Limit {
  text: string;
  max: number;
  figureOf: (plan: ReindexPlan) => Figure;
}

const UNITS = {
  usd: ({ usd }: ReindexPlan) => usd,
  tokens: ({ tokens }: ReindexPlan) => tokens,
  calls: ({ calls }: ReindexPlan) => calls,
};

/** Collects the limits of a repeatable option: `20usd`, `5000000tokens`, `1000calls`, or a time such as `2h`. */
export function limit(text: string, before: Limit[] = []): Limit[] {
  const [, amount, unit] = /^(\d{1,15}(?:\.\d{1,9})?) ?(usd|tokens|calls)$/.exec(text) ?? [];
  if (unit !== undefined) {
    return [...before, { text, max: Number(amount), figureOf: UNITS[unit as keyof typeof UNITS] }];
  }
  if (/[a-z]$/.test(text) && durationSchema.safeParse(text).success) {
    return [...before, { text, max: durationMs(text) / 1_000, figureOf: ({ seconds }) => seconds.total }];
  }
  throw new InvalidArgumentError('It must be a limit such as 20usd, 5000000tokens, 1000calls, 90s, 30m or 2h.');
}

export interface Judged {
  outcome: 'ok' | 'above' | 'unknown';
  text: string;
}

/** Compares a plan with each limit. */
export function judge(plan: ReindexPlan, limits: readonly Limit[]): Judged[] {
  return limits.map(({ text, max, figureOf }) => {
    const { value, from } = figureOf(plan);
    if (value === null) return { outcome: 'unknown', text: `cannot be compared with ${text}: ${from}` };
    return value > max
      ? { outcome: 'above', text: `the forecast is above ${text}` }
      : { outcome: 'ok', text: `the forecast is not above ${text}` };
  });
}
