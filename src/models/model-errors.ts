import { APICallError, LoadAPIKeyError, NoSuchModelError } from 'ai';
import { type ErrorType, messageOf, ReembedError } from '../contract/errors.ts';
import { readRetryAfterMs } from '../contract/retry-after.ts';
import type { ModelWords } from './model-hosts.ts';
import { redact } from './redact.ts';

/** What an HTTP status says about the call; 5xx and the rest are `ModelUnavailable`. */
const TYPE_OF_STATUS: Readonly<Record<number, ErrorType>> = {
  400: 'ModelRejectedInput',
  401: 'ModelUnauthorized',
  402: 'ModelQuotaUsedUp',
  403: 'ModelUnauthorized',
  404: 'ModelNotFound',
  405: 'ModelNotFound',
  410: 'ModelNotFound',
  413: 'ModelRejectedInput',
  422: 'ModelRejectedInput',
  429: 'ModelRateLimited',
};

const SAYS: Partial<Record<ErrorType, string>> = {
  ModelRejectedInput: 'rejects the input',
  ModelQuotaUsedUp: 'says that the quota is used up',
  ModelUnauthorized: 'refuses the key',
  ModelNotFound: 'is not there (check the name and baseUrl)',
  ModelRateLimited: 'asks to slow down',
  ModelUnavailable: 'failed',
  ModelBadAnswer: 'answered with something that cannot be used',
};

/** Codes with which providers say that paying helps and waiting does not. */
const QUOTA_CODES = /insufficient_quota|billing_(?:hard_limit|not_active)|insufficient.?(?:balance|credits?|funds)/i;
/** Some say the same of a limit by the minute, and then also when to come again. */
const QUOTA_WORDS = /exceeded your current quota|check your plan and billing|credit balance is too low/i;
const COMES_AGAIN = /retryInfo|retryDelay|try again in|retry in|per minute|per second/i;

export interface FailedCall {
  label: string;
  texts: readonly string[];
  secrets?: readonly string[];
  words?: ModelWords;
}

/**
 * What a model threw as a `ReembedError`. The original is not kept as `cause`: the AI SDK's errors hold the request with
 * all its texts, and causes end in logs and workflow histories.
 */
export function toModelError(error: unknown, call: FailedCall): ReembedError {
  if (error instanceof ReembedError) return error;
  const { type, status, headers, answer } = classify(error);
  const said = redact(shownOf(error, answer, call.words), call.texts, call.secrets);
  const statusText = status === undefined ? '' : ` (HTTP ${status})`;
  return new ReembedError(type, `The ${call.label} ${SAYS[type]}${statusText}${said === '' ? '' : `: ${said}`}`, {
    retryAfterMs: readRetryAfterMs(headers),
  });
}

/** What an address that nobody listed answers is not shown: it may be any service of the network. */
function shownOf(error: unknown, answer: string, words: ModelWords = 'all'): string {
  if (words === 'all' || !APICallError.isInstance(error)) return answer;
  if (error.statusCode === undefined) return codeOfCause(error) ?? 'no answer';
  if (error.statusCode < 300) return answer; // our own words
  return words === 'message' && error.data !== undefined ? answer : '';
}

function codeOfCause(error: unknown): string | undefined {
  for (let one = error, depth = 0; one instanceof Error && depth < 5; one = one.cause, depth++) {
    if ('code' in one && typeof one.code === 'string') return one.code;
  }
  return undefined;
}

interface Classified {
  type: ErrorType;
  status?: number;
  headers?: Readonly<Record<string, string>>;
  /** The provider's own words. */
  answer: string;
}

function classify(error: unknown): Classified {
  if (LoadAPIKeyError.isInstance(error)) return { type: 'ModelUnauthorized', answer: error.message };
  if (NoSuchModelError.isInstance(error)) return { type: 'ModelNotFound', answer: error.message };
  if (!APICallError.isInstance(error)) return { type: 'ModelUnavailable', answer: messageWithCause(error) };

  const { statusCode: status, responseHeaders: headers } = error;
  if (status === undefined) return { type: 'ModelUnavailable', answer: messageWithCause(error) };
  if (status < 300) {
    return { type: 'ModelBadAnswer', status, answer: 'the answer holds no embeddings; check baseUrl' };
  }
  if (isQuotaUsedUp(status, error)) return { type: 'ModelQuotaUsedUp', status, answer: answerOf(error) };
  const overloaded = status === 503 && readRetryAfterMs(headers) !== undefined;
  const type = overloaded ? 'ModelRateLimited' : (TYPE_OF_STATUS[status] ?? 'ModelUnavailable');
  return { type, status, headers, answer: answerOf(error) };
}

function isQuotaUsedUp(status: number, { responseBody = '', responseHeaders }: APICallError): boolean {
  if (status < 400 || status === 401 || status >= 500) return false;
  if (QUOTA_CODES.test(responseBody)) return true;
  const comesAgain = responseHeaders?.['retry-after'] !== undefined || COMES_AGAIN.test(responseBody);
  return QUOTA_WORDS.test(responseBody) && !comesAgain;
}

/** Servers that do not follow OpenAI's shape of errors leave only a status text in the SDK's message. */
function answerOf(error: APICallError): string {
  if (error.data !== undefined) return error.message;
  return error.responseBody?.trim() || error.message;
}

function messageWithCause(error: unknown): string {
  const message = messageOf(error);
  const cause = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : '';
  return cause === '' || message.includes(cause) ? message : `${message}: ${cause}`;
}
