/** A provider's mistake in its clock or units must not put a task to sleep for days. */
const LONGEST_MS = 60 * 60 * 1000;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

type Headers = Readonly<Record<string, string>>;

/**
 * How long a response asks to wait, in milliseconds, at most an hour: `retry-after-ms`, `Retry-After` in seconds or as a
 * date (RFC 9110), else when OpenAI's `x-ratelimit-reset-*` says the limit that ran out is filled again. Header names
 * are in lower case.
 */
export function readRetryAfterMs(headers: Headers | undefined, now: number = Date.now()): number | undefined {
  if (headers === undefined) return undefined;
  const waitMs = readMilliseconds(headers) ?? readRetryAfter(headers, now) ?? readRateLimitReset(headers);
  return waitMs === undefined ? undefined : Math.min(Math.max(0, Math.ceil(waitMs)), LONGEST_MS);
}

function readMilliseconds(headers: Headers): number | undefined {
  return readNumber(headers['retry-after-ms']);
}

function readRetryAfter(headers: Headers, now: number): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined || value === '') return undefined;
  const seconds = readNumber(value);
  if (seconds !== undefined) return seconds * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : date - now;
}

function readRateLimitReset(headers: Headers): number | undefined {
  const waits = ['requests', 'tokens']
    .filter((limit) => headers[`x-ratelimit-remaining-${limit}`]?.trim() === '0')
    .map((limit) => readDuration(headers[`x-ratelimit-reset-${limit}`]))
    .filter((wait) => wait !== undefined);
  return waits.length === 0 ? undefined : Math.max(...waits);
}

/** `6m0s`, `1.5s`, `20ms`. */
function readDuration(value: string | undefined): number | undefined {
  const parts = [...(value ?? '').matchAll(/([\d.]{1,20})(ms|s|m|h|d)/g)];
  if (parts.length === 0) return undefined;
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ''] ?? 0), 0);
}

function readNumber(value: string | undefined): number | undefined {
  if (value === undefined || !/^\d+(\.\d+)?$/.test(value.trim())) return undefined;
  return Number(value);
}
