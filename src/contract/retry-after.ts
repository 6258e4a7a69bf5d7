/** Cap, so that a wrong clock or unit does not stop a task for days: it tries again after some minutes. */
const MAX_MS = 5 * 60_000;
/** Minimum, since an immediate retry would not slow down. */
const MIN_MS = 500;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Returns the wait that a response asks for, in milliseconds, from half a second to five minutes: `retry-after-ms`,
 * `Retry-After` in seconds or as a date (RFC 9110), else OpenAI's `x-ratelimit-reset-*` of the exhausted limit. Header
 * names are in lower case. Returns undefined when there is no readable value.
 */
export function readRetryAfterMs(headers: Headers | undefined, now: number = Date.now()): number | undefined {
  if (headers === undefined) return undefined;
  return bounded(readMilliseconds(headers) ?? readRetryAfter(headers, now) ?? readRateLimitReset(headers));
}

/**
 * Returns the wait that Google writes into the body of a refusal (`google.rpc.RetryInfo`) in place of a header, with the
 * same bounds. Returns undefined when there is none.
 */
export function readRetryDelayMs(body: string | undefined): number | undefined {
  const [, seconds] = /"retryDelay":\s{0,10}"(\d{1,9}(?:\.\d{1,9})?)s"/.exec(body ?? '') ?? [];
  return bounded(seconds === undefined ? undefined : Number(seconds) * 1000);
}

function bounded(waitMs: number | undefined): number | undefined {
  return waitMs === undefined ? undefined : Math.min(Math.max(MIN_MS, Math.ceil(waitMs)), MAX_MS);
}

function readMilliseconds(headers: Headers): number | undefined {
  return readNumber(one(headers['retry-after-ms']));
}

function readRetryAfter(headers: Headers, now: number): number | undefined {
  const value = one(headers['retry-after'])?.trim();
  if (value === undefined || value === '') return undefined;
  const seconds = readNumber(value);
  if (seconds !== undefined) return seconds * 1000;
  // Require a letter: `Date.parse` reads a negative number as a year.
  const date = /[a-z]/i.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : date - now;
}

function readRateLimitReset(headers: Headers): number | undefined {
  const waits = ['requests', 'tokens']
    .filter((limit) => one(headers[`x-ratelimit-remaining-${limit}`])?.trim() === '0')
    .map((limit) => readDuration(one(headers[`x-ratelimit-reset-${limit}`])))
    .filter((wait) => wait !== undefined);
  return waits.length === 0 ? undefined : Math.max(...waits);
}

function one(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

/** Parses `6m0s`, `1.5s`, `20ms` to milliseconds. */
function readDuration(value: string | undefined): number | undefined {
  const parts = [...(value ?? '').matchAll(/([\d.]{1,20})(ms|s|m|h|d)/g)];
  if (parts.length === 0) return undefined;
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ''] ?? 0), 0);
}

function readNumber(value: string | undefined): number | undefined {
  if (value === undefined || !/^\d+(\.\d+)?$/.test(value.trim())) return undefined;
  return Number(value);
}
