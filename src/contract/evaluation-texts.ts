import type { Compared, EvaluationGroup } from './evaluation.ts';

/** Numbers of an evaluation's report, formatted alike by the CLI and the dashboard. */

export function scoreText(value: number): string {
  return value.toFixed(3);
}

export function signedText(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(3)}`;
}

export function intervalText({ low, high }: Pick<Compared, 'low' | 'high'>): string {
  return `${signedText(low)} to ${signedText(high)}`;
}

/** Formats a latency in milliseconds; null, if it was not measured, as an empty text. */
export function latencyText(ms: number | null): string {
  return ms === null ? '' : `${ms.toFixed(1)} ms`;
}

/** Formats the value of a breakdown's group; strings without their quotes. */
export function groupText({ value }: Pick<EvaluationGroup, 'value'>): string {
  return value?.replace(/^"(.*)"$/, '$1') ?? '(none)';
}
