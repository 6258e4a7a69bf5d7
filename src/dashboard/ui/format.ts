/** Formats numbers and times for people. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

export function number(value: number): string {
  return whole.format(value);
}

/** Formats a number, marked if it is an estimate. */
export function count(value: number, estimated: boolean): string {
  return estimated ? `about ${number(value)}` : number(value);
}

export function rate(perSecond: number): string {
  return `${perSecond >= 100 ? whole.format(perSecond) : short.format(perSecond)}/s`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

export function bytes(value: number): string {
  const power = value < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(value) / 3));
  return `${short.format(value / 1_000 ** power)} ${UNITS[power]}`;
}

export function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.min(100, (100 * part) / whole);
}

/** Formats a duration in its two largest units: `1 h 20 min`, `45 s`. */
export function duration(seconds: number): string {
  const all = Math.max(0, Math.round(seconds));
  if (all < 60) return `${all} s`;
  if (all < 3_600)
    return all < 600 && all % 60 ? `${Math.floor(all / 60)} min ${all % 60} s` : `${Math.round(all / 60)} min`;
  if (all < 86_400) {
    const minutes = Math.floor((all % 3_600) / 60);
    return `${Math.floor(all / 3_600)} h${minutes ? ` ${minutes} min` : ''}`;
  }
  const hours = Math.floor((all % 86_400) / 3_600);
  return `${Math.floor(all / 86_400)} d${hours ? ` ${hours} h` : ''}`;
}

/** Formats a relative time: `3 min ago`, `in 2 h`. */
export function relative(moment: Date, now: Date): string {
  const seconds = (moment.getTime() - now.getTime()) / 1_000;
  if (Math.abs(seconds) < 3) return 'now';
  const length = duration(Math.abs(seconds)).split(' ').slice(0, 2).join(' ');
  return seconds < 0 ? `${length} ago` : `in ${length}`;
}

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });

export function absolute(moment: Date): string {
  return exact.format(moment);
}

/** Formats a time of this place or of Greenwich: `2026-01-31 12:00:00`, with its zone for the latter. */
export function exactTime(moment: Date, zone: 'local' | 'UTC'): string {
  if (zone === 'UTC') return `${moment.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [moment.getFullYear(), moment.getMonth() + 1, moment.getDate()].map(two).join('-');
  return `${day} ${[moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(two).join(':')}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

const inPercent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 });

/** Formats a share from 0 to 1: `5%`. */
export function share(value: number): string {
  return inPercent.format(value);
}
