/** Converts days and minutes in UTC to cron expressions with seconds and years. */

export interface DatedTimes {
  /** Days since 1970. */
  day: number;
  /** Minutes of the day, ascending, separated by commas; empty for none. */
  times: string;
}

interface Layout {
  /** Years that the days cover completely. */
  range: { from: number; until: number };
  seconds: readonly number[];
  /** Whether days differ mainly by the day of the week. */
  byWeekday: boolean;
}

const DAY_MS = 86_400_000;

/** Returns few cron expressions for the days. A month that is the same in all years gets no year, so it never ends. */
export function calendarsOf(days: readonly DatedTimes[], { range, seconds, byWeekday }: Layout): string[] {
  const blocks = byWeekday ? weekdayBlocks(days) : dateBlocks(days);
  const allYears = range.until - range.from + 1;
  return [...blocks].flatMap(([times, dates]) =>
    // The same part of a month, in several months and years.
    [...grouped(dates, ({ days: part }) => part)].flatMap(([part, sameDays]) => {
      const months = [...grouped(sameDays, ({ month }) => month)];
      const byYears = grouped(months, ([, inMonth]) => inMonth.map(({ year }) => year).join());
      return [...byYears].flatMap(([named, sameYears]) => {
        const [ofMonth, ofWeek] = part.split(' ');
        const years = named.split(',').map(Number);
        const year = years.length === allYears ? '*' : fieldOf(years, 2000, 2100);
        const month = fieldOf(sameYears.map(([each]) => each).sort(ascending), 1, 12);
        return timesOf(times).map((time) => `${fieldOf(seconds, 0, 59)} ${time} ${ofMonth} ${month} ${ofWeek} ${year}`);
      });
    }),
  );
}

interface Block {
  year: number;
  month: number;
  /** Days of the month and of the week, as in a cron expression. */
  days: string;
}

/** Groups by times: parts of a month in which the day of the week decides. */
function weekdayBlocks(days: readonly DatedTimes[]): Map<string, Block[]> {
  const blocks = new Map<string, Block[]>();
  for (const stretch of stretchesOf(days)) {
    const { year, month, from, to } = stretch;
    const isWhole = from === 1 && to === new Date(Date.UTC(year, month, 0)).getUTCDate();
    // Until the end, even if the month is longer in another year.
    const ofMonth = isWhole ? '*' : fieldOf(numbers(from, isLastOf(stretch) ? 31 : to), 1, 31);
    for (const [times, ofWeek] of grouped([...stretch.byWeekday], ([, each]) => each)) {
      const weekdays = ofWeek.map(([weekday]) => weekday).sort(ascending);
      // Days of the week that do not occur in a short part do not matter.
      const field = stretch.byWeekday.size === weekdays.length ? '*' : fieldOf(weekdays, 0, 6);
      add(blocks, times, { year, month, days: `${ofMonth} ${field}` });
    }
  }
  blocks.delete('');
  return blocks;
}

interface Stretch {
  year: number;
  month: number;
  from: number;
  to: number;
  byWeekday: Map<number, string>;
}

function isLastOf({ year, month, to }: Stretch): boolean {
  return to === new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** Splits days at the end of a month and where the times of a day of the week change. */
function* stretchesOf(days: readonly DatedTimes[]): Generator<Stretch> {
  let stretch: Stretch | undefined;
  for (const { day, times } of days) {
    const { year, month, date, weekday } = dateOf(day);
    const fits = stretch?.month === month && (stretch.byWeekday.get(weekday) ?? times) === times;
    if (!stretch || !fits) {
      if (stretch) yield stretch;
      stretch = { year, month, from: date, to: date, byWeekday: new Map() };
    }
    stretch.to = date;
    stretch.byWeekday.set(weekday, times);
  }
  if (stretch) yield stretch;
}

/** Groups by times: individual days of a month. */
function dateBlocks(days: readonly DatedTimes[]): Map<string, Block[]> {
  const blocks = new Map<string, Block[]>();
  const dated = days.map(({ day, times }) => ({ ...dateOf(day), times }));
  for (const [key, ofMonth] of grouped(dated, ({ year, month, times }) => `${year} ${month} ${times}`)) {
    const [year, month, times = ''] = key.split(' ');
    const dates = ofMonth.map(({ date }) => date);
    add(blocks, times, { year: Number(year), month: Number(month), days: `${fieldOf(dates, 1, 31)} *` });
  }
  blocks.delete('');
  return blocks;
}

/** Returns the minute and hour fields of expressions with these times. */
function timesOf(text: string): string[] {
  const times = text.split(',').map(Number);
  const minutesOfHour = [...grouped(times, (time) => Math.floor(time / 60))].map(
    ([hour, inHour]) =>
      [
        hour,
        fieldOf(
          inHour.map((time) => time % 60),
          0,
          59,
        ),
      ] as const,
  );
  return [...grouped(minutesOfHour, ([, minutes]) => minutes)].map(
    ([minutes, hours]) =>
      `${minutes} ${fieldOf(
        hours.map(([hour]) => hour),
        0,
        23,
      )}`,
  );
}

/** Formats ascending values as a field of a cron expression. */
function fieldOf(values: readonly number[], least: number, most: number): string {
  if (values.length === most - least + 1) return '*';
  const runs: [number, number][] = [];
  for (const value of values) {
    const run = runs.at(-1);
    if (run && run[1] === value - 1) run[1] = value;
    else runs.push([value, value]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join();
}

function dateOf(day: number) {
  const date = new Date(day * DAY_MS);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    date: date.getUTCDate(),
    weekday: date.getUTCDay(),
  };
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

function grouped<T, K>(values: readonly T[], keyOf: (value: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const value of values) add(groups, keyOf(value), value);
  return groups;
}

function add<K, T>(groups: Map<K, T[]>, key: K, value: T): void {
  const group = groups.get(key);
  if (group) group.push(value);
  else groups.set(key, [value]);
}

function ascending(left: number, right: number): number {
  return left - right;
}
