import { isUnsafeInteger, UNSAFE_INTEGER } from '../json.ts';

/** Doubles keep every decimal of up to 15 digits; shorter tokens without an exponent need no check. */
export const MAX_PLAIN_CHARS = 15;

/** No number that a double represents needs more. */
const MAX_CHARS = 1_000;

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Returns what is lost when a token is read as a double; the parser reports tokens that are not numbers. */
export function numberProblem(token: string): string | undefined {
  if (token.length > MAX_CHARS) return `must have at most ${MAX_CHARS} characters`;
  const value = Number(token);
  if (Number.isNaN(value)) return undefined;
  if (!Number.isFinite(value)) return 'must be at most 1.7976931348623157e308';
  if (isUnsafeInteger(value)) return UNSAFE_INTEGER;
  if (decimalOf(token) !== decimalOf(String(value))) return `would be stored as ${value}: send it as text to keep it`;
  return undefined;
}

/** Normalizes a number to its sign, its digits without outer zeros, and the exponent of the last digit. */
function decimalOf(token: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = NUMBER.exec(token) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  if (end === 0) return '0';
  return `${sign}${digits.slice(0, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}
