import { APICallError, LoadAPIKeyError, NoSuchModelError } from 'ai';
import { type ErrorType, messageOf, ReembedError } from '../contract/errors.ts';
import { readRetryAfterMs, readRetryDelayMs } from '../contract/retry-after.ts';
import type { ModelWords } from './model-hosts.ts';
import { redact } from './redact.ts';

/** Error types by HTTP status; 5xx and all others are `ModelUnavailable`. */
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
  // Cohere: a text has a word that it denies.
  498: 'ModelRejectedInput',
};

const SAYS: Partial<Record<ErrorType, string>> = {
  ModelRejectedInput: 'rejects the input',
  ModelQuotaUsedUp: 'says that the quota is used up',
  ModelUnauthorized: 'refuses the key',
  ModelNotFound: 'was not found (check the name and baseUrl)',
  ModelRateLimited: 'asks to slow down',
  ModelUnavailable: 'failed',
  ModelBadAnswer: 'returned an unusable response',
};

/** Codes of providers for an exhausted quota, where waiting does not help, or not today. */
const QUOTA_CODES =
  /insufficient_quota|billing_(?:hard_limit|not_active|disabled)|insufficient.?(?:account.?)?(?:balance|credits?|funds)|out of call volume quota|"quotaId":\s?"\w{0,80}PerDay|too many tokens per day/i;
/** Some providers use the same words for a limit per minute, but then also say when to retry. */
const QUOTA_WORDS =
  /exceeded your current quota|check your plan and billing|credit balance is too low|limited to \d+ API calls ?\/ ?month/i;
const COMES_AGAIN = /retryInfo|retryDelay|try again in|retry in|per minute|per second/i;

/** Google and others answer 403 to a key that may call, but not so often. */
const FORBIDDEN_RATE = /rateLimitExceeded|RATE_LIMIT_EXCEEDED|RESOURCE_EXHAUSTED|too many requests/i;
const FORBIDDEN_QUOTA =
  /quota\s?(?:has been |is |was )?(?:exceeded|exhausted|used up)|(?:exceeded|exhausted) (?:your|the) quota|dailyLimitExceeded/i;

/** Google answers 400 to an invalid key, and to one that may not be used where this process runs. */
const BAD_KEY = /API_KEY_INVALID|API key not valid|"status":\s?"FAILED_PRECONDITION"/;
/** Some providers answer 400 for a model that they do not have, or that makes no vectors. */
export const NO_MODEL =
  /invalid[_ ]model\b|model_not_found|model identifier is invalid|\bmodel \S{1,200} (?:is not supported|does not exist|not found)|does not support embeddings/i;
/** OpenAI answers 429 to a call that no wait makes possible: it has more tokens than a minute allows. */
const TOO_LARGE = /Request too large for/;
/** Words of the SDKs of clouds that find no credentials in this process. */
const NO_CREDENTIALS = /default credentials|invalid_grant|could not refresh access token/i;

export interface FailedCall {
  label: string;
  texts: readonly string[];
  secrets?: readonly string[];
  words?: ModelWords;
}

/**
 * Converts what a model threw to a `ReembedError`. Does not keep the original as `cause`: the AI SDK's errors contain
 * the request with all its texts, and causes end up in logs and workflow histories.
 */
export function toModelError(error: unknown, call: FailedCall): ReembedError {
  if (error instanceof ReembedError) return error;
  const { type, status, headers, body, answer } = classify(error);
  const said = redact(shownOf(error, answer, call.words), call.texts, call.secrets);
  const statusText = status === undefined ? '' : ` (HTTP ${status})`;
  return new ReembedError(type, `The ${call.label} ${SAYS[type]}${statusText}${said === '' ? '' : `: ${said}`}`, {
    retryAfterMs: readRetryAfterMs(headers) ?? readRetryDelayMs(body),
  });
}

/** Hides the response of an unlisted address, which may be any service of the network. */
function shownOf(error: unknown, answer: string, words: ModelWords = 'all'): string {
  if (words === 'all' || !APICallError.isInstance(error)) return answer;
  if (error.statusCode === undefined) return codeOfCause(error) ?? 'no answer';
  if (error.statusCode < 300) return answer; // our own message
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
  body?: string | undefined;
  /** The provider's message. */
  answer: string;
}

function classify(error: unknown): Classified {
  if (LoadAPIKeyError.isInstance(error)) return { type: 'ModelUnauthorized', answer: error.message };
  if (NoSuchModelError.isInstance(error)) return { type: 'ModelNotFound', answer: error.message };
  if (!APICallError.isInstance(error)) {
    const answer = messageWithCause(error);
    return { type: NO_CREDENTIALS.test(answer) ? 'ModelUnauthorized' : 'ModelUnavailable', answer };
  }

  const { statusCode: status, responseHeaders: headers } = error;
  if (status === undefined) return { type: 'ModelUnavailable', answer: messageWithCause(error) };
  if (status < 300) {
    return { type: 'ModelBadAnswer', status, answer: 'the answer holds no embeddings; check baseUrl' };
  }
  if (isQuotaUsedUp(status, error)) return { type: 'ModelQuotaUsedUp', status, answer: answerOf(error) };
  const named = typeByWords(status, error.responseBody ?? '');
  if (named) return { type: named, status, answer: answerOf(error) };
  const overloaded = status === 503 && readRetryAfterMs(headers) !== undefined;
  const type = overloaded ? 'ModelRateLimited' : (TYPE_OF_STATUS[status] ?? 'ModelUnavailable');
  return { type, status, headers, body: error.responseBody, answer: answerOf(error) };
}

/** Returns the type of a refusal whose words say more than its status. */
function typeByWords(status: number, body: string): ErrorType | undefined {
  if (status === 429) return TOO_LARGE.test(body) ? 'ModelRejectedInput' : undefined;
  if (status === 403 && (FORBIDDEN_RATE.test(body) || FORBIDDEN_QUOTA.test(body))) return 'ModelRateLimited';
  if (status !== 400) return undefined;
  if (BAD_KEY.test(body)) return 'ModelUnauthorized';
  return NO_MODEL.test(body) ? 'ModelNotFound' : undefined;
}

function isQuotaUsedUp(status: number, { responseBody = '', responseHeaders }: APICallError): boolean {
  if (status < 400 || status === 401) return false;
  // Amazon names the kind of an error in a header.
  if (responseHeaders?.['x-amzn-errortype']?.startsWith('ServiceQuotaExceeded')) return true;
  if (QUOTA_CODES.test(responseBody)) return true;
  if (status >= 500) return false;
  const comesAgain = responseHeaders?.['retry-after'] !== undefined || COMES_AGAIN.test(responseBody);
  const words = status === 403 && FORBIDDEN_QUOTA.test(responseBody);
  return (words || QUOTA_WORDS.test(responseBody)) && !comesAgain;
}

/** Returns the body of servers that do not use OpenAI's error format: the SDK's message has only their status text. */
function answerOf(error: APICallError): string {
  if (error.data !== undefined) return error.message;
  return error.responseBody?.trim() || error.message;
}

function messageWithCause(error: unknown): string {
  const message = messageOf(error);
  const cause = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : '';
  return cause === '' || message.includes(cause) ? message : `${message}: ${cause}`;
}
