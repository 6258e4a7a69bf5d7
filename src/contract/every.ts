import { Cron } from 'croner';
import { isShorthand, parseCron } from './cron.ts';
import { durationMs, durationText } from './durations.ts';

/** When a schedule runs, in the form sent to Temporal: at an interval, or at the times of cron expressions. */
export type Every = { kind: 'interval'; seconds: number } | { kind: 'cron'; expressions: string[] };

const DURATION = /^\d+(\.\d+)?\s*(ms|s|m|h|d)$/;
/** What Temporal's cron supports; `?`, `L`, `W` and `#` of other programs have no or another meaning there. */
const FIELD = /^[\d*/,-]+$|^[A-Z]{3}([,-][A-Z]{3})*$/i;

const MAX_SECONDS = 10 * 366 * 86_400;

const WANTED = 'an interval such as 90s, 1m or 1d, a number of seconds, or a cron expression such as 0 9 * * MON-FRI';

/**
 * Parses how often a schedule runs: an interval (`90s`, `1m`, `1d`, or a number of seconds) or a cron expression of 5
 * fields, of 7 with seconds first and years last, or a shorthand like `@daily`. Where both the day of the month and
 * that of the week are given, either is enough, as in crontab. Returns an error text when it is not valid.
 *
 * @example
 * readEvery('1m') // { kind: 'interval', seconds: 60 }
 * readEvery('0 9 * * MON-FRI') // { kind: 'cron', expressions: ['0 9 * * MON-FRI'] }
 */
export function readEvery(every: string | number): Every | string {
  const text = typeof every === 'string' ? every.trim() : every;
  if (typeof text === 'number' || DURATION.test(text)) return readInterval(durationMs(text) / 1_000);
  return readCron(text.replace(/\s+/g, ' '));
}

/** Formats an interval in its canonical form: `60` and `60s` become `1m`. */
export function intervalText(seconds: number): string {
  return durationText(seconds * 1_000);
}

function readInterval(seconds: number): Every | string {
  if (!Number.isInteger(seconds)) return 'an interval must be a whole number of seconds';
  if (seconds < 1) return 'an interval must be at least 1 second';
  if (seconds > MAX_SECONDS) return 'an interval must be shorter than 10 years';
  return { kind: 'interval', seconds };
}

function readCron(text: string): Every | string {
  const fields = text.split(' ');
  if (isShorthand(text)) return { kind: 'cron', expressions: [text] };
  if (fields.length === 6) {
    return 'six fields are ambiguous (seconds or years): use five, or seven with both';
  }
  if (fields.length !== 5 && fields.length !== 7) return `must be ${WANTED}`;
  const unknown = fields.find((field) => !FIELD.test(field));
  if (unknown !== undefined) return `${JSON.stringify(unknown)} is not a valid field of a cron expression`;
  const read = parseCron(text);
  if (typeof read === 'string') return read;
  if (!hasTime(text)) return 'no time matches it';
  return { kind: 'cron', expressions: eitherDay(fields) };
}

/** Whether any future time matches: some days are in no month, and years pass. */
function hasTime(text: string): boolean {
  return new Cron(text, { timezone: 'UTC', sloppyRanges: true }).nextRun() !== null;
}

/**
 * Where both days are restricted, crontab runs when either matches, but Temporal only when both match: so Temporal gets
 * two expressions.
 */
function eitherDay(fields: string[]): string[] {
  const at = fields.length === 7 ? 1 : 0;
  const [ofMonth, ofWeek] = [2 + at, 4 + at];
  if (fields[ofMonth]?.includes('*') || fields[ofWeek]?.includes('*')) return [fields.join(' ')];
  return [ofWeek, ofMonth].map((left) => fields.map((field, index) => (index === left ? '*' : field)).join(' '));
}

/** Returns what is wrong with a time zone name; undefined for a name that Temporal knows too. */
export function timeZoneProblem(timeZone: string): string | undefined {
  const known = 'must be a time zone by name, such as Europe/Berlin or UTC';
  // Node accepts offsets and any case, Temporal accepts neither.
  if (!/^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/.test(timeZone)) return known;
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return undefined;
  } catch {
    return known;
  }
}
