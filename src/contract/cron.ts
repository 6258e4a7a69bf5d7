/** The values of each field of a cron expression, and its behavior at clock changes. */
export interface CronFields {
  seconds: number[];
  minutes: number[];
  hours: number[];
  daysOfMonth: number[];
  /** 1 is January. */
  months: number[];
  /** 0 is Sunday. */
  daysOfWeek: number[];
  /** Null for every year. */
  years: number[] | null;
  /** True if it follows elapsed time instead of a time of day: its minutes or hours start with a star. */
  repeats: boolean;
}

interface FieldSpec {
  title: string;
  min: number;
  max: number;
  names?: readonly string[];
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const SECOND: FieldSpec = { title: 'second', min: 0, max: 59 };
const MINUTE: FieldSpec = { title: 'minute', min: 0, max: 59 };
const HOUR: FieldSpec = { title: 'hour', min: 0, max: 23 };
const DAY_OF_MONTH: FieldSpec = { title: 'day of the month', min: 1, max: 31 };
const MONTH: FieldSpec = { title: 'month', min: 1, max: 12, names: MONTHS };
/** 7 also means Sunday. */
const DAY_OF_WEEK: FieldSpec = { title: 'day of the week', min: 0, max: 7, names: DAYS };
/** Temporal supports no other years. */
const YEAR: FieldSpec = { title: 'year', min: 2000, max: 2100 };

const SHORTHANDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** Whether the text is a shorthand such as `@daily`. */
export function isShorthand(text: string): boolean {
  return Object.hasOwn(SHORTHANDS, text);
}

/**
 * Parses a cron expression: five fields, seven fields with seconds first and years last, or a shorthand like `@daily`.
 * Returns an error text that names the field when it is not valid.
 */
export function parseCron(expression: string): CronFields | string {
  const written = (SHORTHANDS[expression] ?? expression).split(' ');
  const fields = written.length === 5 ? ['0', ...written, '*'] : written;
  const [second = '', minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '', year = ''] = fields;
  try {
    return {
      seconds: valuesOf(second, SECOND),
      minutes: valuesOf(minute, MINUTE),
      hours: valuesOf(hour, HOUR),
      daysOfMonth: valuesOf(dayOfMonth, DAY_OF_MONTH),
      months: valuesOf(month, MONTH),
      daysOfWeek: [...new Set(valuesOf(dayOfWeek, DAY_OF_WEEK).map((day) => day % 7))].sort(ascending),
      years: year.startsWith('*') && !year.includes('/') ? null : valuesOf(year, YEAR),
      repeats: minute.startsWith('*') || hour.startsWith('*'),
    };
  } catch (error) {
    if (error instanceof FieldError) return error.message;
    throw error;
  }
}

class FieldError extends Error {}

function valuesOf(field: string, spec: FieldSpec): number[] {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const [range = '', step = '1', ...more] = part.split('/');
    const { from, to } = rangeOf(range, part.includes('/'), field, spec);
    const by = /^\d+$/.test(step) && more.length === 0 ? Number(step) : 0;
    if (by < 1) throw wrong(field, spec, `the step ${JSON.stringify(step)} must be a whole number above 0`);
    for (let value = from; value <= to; value += by) values.add(value);
  }
  return [...values].sort(ascending);
}

/** Parses a range; with a step, a single value is its start: `5/10` starts at 5. */
function rangeOf(range: string, stepped: boolean, field: string, spec: FieldSpec): { from: number; to: number } {
  const { min, max } = spec;
  // A star means each day of the week once, so Sunday only as 0.
  if (range === '*') return { from: min, to: spec === DAY_OF_WEEK ? 6 : max };
  const [first = '', last, ...more] = range.split('-');
  const from = numberOf(first, field, spec);
  if (last === undefined) return { from, to: stepped ? max : from };
  const to = numberOf(last, field, spec);
  if (more.length > 0) throw wrong(field, spec, `${JSON.stringify(range)} is not a range`);
  if (to < from) throw wrong(field, spec, `the range ${range} must begin with the lower value`);
  return { from, to };
}

function numberOf(text: string, field: string, spec: FieldSpec): number {
  const { min, max, names = [] } = spec;
  const named = names.indexOf(text.toUpperCase());
  if (named >= 0) return named + min;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  const orName = names.length > 0 ? ` or from ${names[0]} to ${names.at(-1)}` : '';
  throw wrong(field, spec, `${JSON.stringify(text)} must be from ${min} to ${max}${orName}`);
}

function wrong(field: string, { title }: FieldSpec, problem: string): FieldError {
  return new FieldError(`the ${title} ${JSON.stringify(field)} of the cron expression: ${problem}`);
}

function ascending(left: number, right: number): number {
  return left - right;
}
