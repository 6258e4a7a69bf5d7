import type { ErrorType } from '../../../src/contract/errors.ts';
import type { WireAnswer } from '../../support/provider-wires.ts';

/** A refusal as the provider publishes it, and what it means. */
export interface PublishedError {
  what: string;
  answer: WireAnswer;
  type: ErrorType;
  /** In milliseconds, where the provider says when to come again. */
  retryAfterMs?: number;
}

type Written = [what: string, status: number, body: unknown, type: ErrorType, more?: Retry];
interface Retry {
  headers?: Record<string, string>;
  retryAfterMs?: number;
}

const errors = (...written: Written[]): PublishedError[] =>
  written.map(([what, status, body, type, { headers, retryAfterMs } = {}]) => ({
    ...{ what, type, answer: { status, body, ...(headers && { headers }) } },
    ...(retryAfterMs && { retryAfterMs }),
  }));

const openaiError = (message: string, type: string, code: string | null = null) => ({
  error: { message, type, param: null, code },
});
const azureError = (code: string, message: string) => ({ error: { code, message } });
const googleError = (code: number, status: string, message: string, ...details: object[]) => ({
  error: { code, message, status, ...(details.length > 0 && { details }) },
});
const rpc = (type: string, fields: object) => ({ '@type': `type.googleapis.com/google.rpc.${type}`, ...fields });
const mistralError = (message: string, type: string, code: string) => {
  return { object: 'error', message, type, param: null, code };
};
const aws = (type: string) => ({ headers: { 'x-amzn-errortype': `${type}:http://internal.amazon.com/coral/` } });

const PLAN = 'You exceeded your current quota, please check your plan and billing details.';

/** By provider. `compatible` are servers with OpenAI's interface: TEI, vLLM, llama.cpp, LM Studio. */
export const PUBLISHED: Record<string, PublishedError[]> = {
  openai: errors(
    ['its quota is used up', 429, openaiError(PLAN, 'insufficient_quota', 'insufficient_quota'), 'ModelQuotaUsedUp'],
    [
      'its billing limit is reached',
      400,
      openaiError('Billing hard limit has been reached', 'invalid_request_error', 'billing_hard_limit_reached'),
      'ModelQuotaUsedUp',
    ],
    ['its key is wrong', 401, openaiError('Incorrect API key provided', 'x', 'invalid_api_key'), 'ModelUnauthorized'],
    [
      'its model is gone',
      404,
      openaiError('The model `m` does not exist or you do not have access to it.', 'x', 'model_not_found'),
      'ModelNotFound',
    ],
    [
      'its model is deprecated',
      404,
      openaiError('The model `m` has been deprecated, learn more here', 'x', 'model_not_found'),
      'ModelNotFound',
    ],
    [
      'its tokens per minute are used up',
      429,
      openaiError('Rate limit reached for m on tokens per min (TPM)', 'tokens', 'rate_limit_exceeded'),
      'ModelRateLimited',
      { headers: { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '6s' }, retryAfterMs: 6_000 },
    ],
    [
      'it says when to come again in milliseconds',
      429,
      openaiError('Rate limit reached for m on requests per min (RPM)', 'requests', 'rate_limit_exceeded'),
      'ModelRateLimited',
      { headers: { 'retry-after-ms': '1500', 'retry-after': '2' }, retryAfterMs: 1_500 },
    ],
    [
      'a call has more tokens than a minute allows',
      429,
      openaiError(
        'Request too large for m on tokens per min (TPM): Limit 1000, Requested 2000. The input tokens must be reduced.',
        ...(['tokens', 'rate_limit_exceeded'] as const),
      ),
      'ModelRejectedInput',
    ],
    [
      'a call has too many tokens',
      400,
      openaiError("Invalid 'input': maximum request size is 300000 tokens per request.", 'max_tokens_per_request'),
      'ModelRejectedInput',
    ],
    ['it is overloaded', 503, openaiError('The server is currently overloaded', 'server_error'), 'ModelUnavailable'],
  ),
  azure: errors(
    [
      'its quota is used up',
      403,
      { statusCode: 403, message: 'Out of call volume quota. Quota will be replenished in 5.01:23:45.' },
      'ModelQuotaUsedUp',
    ],
    [
      'its key is wrong',
      401,
      azureError('401', 'Access denied due to invalid subscription key or wrong API endpoint.'),
      'ModelUnauthorized',
    ],
    [
      'its deployment is gone',
      404,
      azureError('DeploymentNotFound', 'The API deployment for this resource does not exist.'),
      'ModelNotFound',
    ],
    [
      'its calls per minute are used up',
      429,
      azureError(
        '429',
        'Requests have exceeded call rate limit of your S0 pricing tier. Please retry after 26 seconds.',
      ),
      'ModelRateLimited',
      { headers: { 'retry-after': '26' }, retryAfterMs: 26_000 },
    ],
    ['it is overloaded', 503, azureError('503', 'The service is temporarily unable'), 'ModelUnavailable'],
  ),
  cohere: errors(
    [
      'the calls of a month are used up',
      429,
      { message: 'You are using a Trial key, which is limited to 1000 API calls / month.' },
      'ModelQuotaUsedUp',
    ],
    [
      'its billing limit is reached',
      402,
      { message: 'your account has reached its billing limit' },
      'ModelQuotaUsedUp',
    ],
    ['its key is wrong', 401, { message: 'invalid api token' }, 'ModelUnauthorized'],
    [
      'its model is gone',
      404,
      { message: "model 'm' not found, make sure the correct model ID was used" },
      'ModelNotFound',
    ],
    [
      'the calls of a minute are used up',
      429,
      { message: 'You are using a Trial key, which is limited to 100 API calls / minute.' },
      'ModelRateLimited',
    ],
    ['a text has a word that it denies', 498, { message: 'invalid token: a deny-listed token' }, 'ModelRejectedInput'],
    ['it is overloaded', 503, { message: 'service unavailable' }, 'ModelUnavailable'],
  ),
  voyage: errors(
    ['its key is wrong', 401, { detail: 'Provided API key is invalid.' }, 'ModelUnauthorized'],
    [
      'its model is gone',
      400,
      { detail: 'Model m is not supported. Supported models are voyage-4, voyage-code-3.' },
      'ModelNotFound',
    ],
    [
      'it has no payment method',
      429,
      {
        detail:
          'You have not yet added your payment method in the billing page and will have reduced rate limits of 3 RPM',
      },
      'ModelRateLimited',
    ],
    [
      'a call has too many tokens',
      400,
      { detail: 'The max allowed tokens per submitted batch is 120000. Your batch has 150000 tokens.' },
      'ModelRejectedInput',
    ],
    ['it is overloaded', 503, { detail: 'The server is overloaded' }, 'ModelUnavailable'],
  ),
  google: errors(
    [
      'the calls of a day are used up',
      429,
      googleError(
        ...([429, 'RESOURCE_EXHAUSTED', PLAN] as const),
        rpc('QuotaFailure', { violations: [{ quotaId: 'EmbedContentRequestsPerDayPerProjectPerModel-FreeTier' }] }),
        rpc('RetryInfo', { retryDelay: '37s' }),
      ),
      'ModelQuotaUsedUp',
    ],
    [
      'the calls of a minute are used up',
      429,
      googleError(
        ...([429, 'RESOURCE_EXHAUSTED', PLAN] as const),
        rpc('QuotaFailure', { violations: [{ quotaId: 'EmbedContentRequestsPerMinutePerProjectPerModel' }] }),
        rpc('RetryInfo', { retryDelay: '37s' }),
      ),
      'ModelRateLimited',
      { retryAfterMs: 37_000 },
    ],
    [
      'its key is wrong',
      400,
      googleError(
        ...([400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.'] as const),
        rpc('ErrorInfo', { reason: 'API_KEY_INVALID', domain: 'googleapis.com' }),
      ),
      'ModelUnauthorized',
    ],
    [
      'it may not be used in this country',
      400,
      googleError(400, 'FAILED_PRECONDITION', 'User location is not supported for the API use.'),
      'ModelUnauthorized',
    ],
    [
      'its model is gone',
      404,
      googleError(404, 'NOT_FOUND', 'models/m is not found for API version v1beta'),
      'ModelNotFound',
    ],
    [
      'a call has too many texts',
      400,
      googleError(
        ...[400 as const, 'INVALID_ARGUMENT' as const],
        '* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch',
      ),
      'ModelRejectedInput',
    ],
    ['it is overloaded', 503, googleError(503, 'UNAVAILABLE', 'The model is overloaded.'), 'ModelUnavailable'],
  ),
  vertex: errors(
    [
      'its project is not billed',
      403,
      googleError(
        ...([403, 'PERMISSION_DENIED', 'This API method requires billing to be enabled.'] as const),
        rpc('ErrorInfo', { reason: 'BILLING_DISABLED', domain: 'googleapis.com' }),
      ),
      'ModelQuotaUsedUp',
    ],
    [
      'its key is wrong',
      401,
      googleError(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.'),
      'ModelUnauthorized',
    ],
    [
      'its account lacks a permission',
      403,
      googleError(403, 'PERMISSION_DENIED', "Permission 'aiplatform.endpoints.predict' denied on resource"),
      'ModelUnauthorized',
    ],
    ['its model is gone', 404, googleError(404, 'NOT_FOUND', 'Publisher Model `m` not found.'), 'ModelNotFound'],
    [
      'the calls of a minute are used up',
      429,
      googleError(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for online_prediction_requests_per_base_model'),
      'ModelRateLimited',
    ],
    ['it is overloaded', 503, googleError(503, 'UNAVAILABLE', 'The service is unavailable.'), 'ModelUnavailable'],
  ),
  bedrock: errors(
    [
      'its quota is used up',
      400,
      { message: 'Your request exceeds the service quota for your account.' },
      'ModelQuotaUsedUp',
      aws('ServiceQuotaExceededException'),
    ],
    [
      'the tokens of a day are used up',
      429,
      { message: 'Too many tokens per day, please wait before trying again.' },
      'ModelQuotaUsedUp',
      aws('ThrottlingException'),
    ],
    [
      'its token has expired',
      403,
      { message: 'The security token included in the request is expired' },
      'ModelUnauthorized',
      aws('ExpiredTokenException'),
    ],
    [
      'it may not use the model',
      403,
      { message: "You don't have access to the model with the specified model ID." },
      'ModelUnauthorized',
      aws('AccessDeniedException'),
    ],
    [
      'its model does not exist',
      400,
      { message: 'The provided model identifier is invalid.' },
      'ModelNotFound',
      aws('ValidationException'),
    ],
    [
      'its model is gone',
      404,
      { message: 'This model version has reached the end of its life.' },
      'ModelNotFound',
      aws('ResourceNotFoundException'),
    ],
    [
      'it is throttled',
      429,
      { message: 'Too many requests, please wait before trying again.' },
      'ModelRateLimited',
      aws('ThrottlingException'),
    ],
    [
      'a call is malformed',
      400,
      { message: 'Malformed input request: expected maxLength: 50000, actual: 60000' },
      'ModelRejectedInput',
      aws('ValidationException'),
    ],
    ['its model timed out', 408, { message: 'the model timed out' }, 'ModelUnavailable', aws('ModelTimeoutException')],
  ),
  mistral: errors(
    ['its key is wrong', 401, { message: 'Unauthorized', request_id: 'r' }, 'ModelUnauthorized'],
    ['its model is gone', 400, mistralError('Invalid model: m', 'invalid_model', '1500'), 'ModelNotFound'],
    [
      'its calls are used up',
      429,
      mistralError('Requests rate limit exceeded', 'rate_limited', '1300'),
      'ModelRateLimited',
      { headers: { 'retry-after': '3' }, retryAfterMs: 3_000 },
    ],
    [
      'its tier is full',
      429,
      mistralError('Service tier capacity exceeded for this model.', 'service_tier_capacity_exceeded', '3505'),
      'ModelRateLimited',
    ],
    [
      'a call has too many tokens',
      400,
      mistralError('Too many tokens overall, split into more batches.', 'invalid_request_prompt', '3210'),
      'ModelRejectedInput',
    ],
    ['it fails', 500, mistralError('Internal Server Error', 'internal_server_error', '1000'), 'ModelUnavailable'],
  ),
  jina: errors(
    [
      'its balance is used up',
      403,
      { detail: 'Insufficient account balance. Recharge your API key.' },
      'ModelQuotaUsedUp',
    ],
    ['it has to be paid', 402, { detail: 'Payment required' }, 'ModelQuotaUsedUp'],
    ['its key is wrong', 401, { detail: 'Invalid API key, please get a new one.' }, 'ModelUnauthorized'],
    ['its model is gone', 404, { detail: 'Model m not found' }, 'ModelNotFound'],
    ['the calls of a minute are used up', 429, { detail: 'Rate limit exceeded: 500 per minute' }, 'ModelRateLimited'],
    [
      'a field is wrong',
      422,
      { detail: [{ type: 'value_error', loc: ['body', 'input'], msg: 'Value error' }] },
      'ModelRejectedInput',
    ],
    ['it fails', 500, { detail: 'Internal Server Error' }, 'ModelUnavailable'],
  ),
  ollama: errors(
    ['its model is missing', 404, { error: 'model "m" not found, try pulling it first' }, 'ModelNotFound'],
    ['its key is wrong', 401, { error: 'unauthorized' }, 'ModelUnauthorized'],
    ['it does not embed', 400, { error: 'this model does not support embeddings' }, 'ModelNotFound'],
    [
      'it is busy',
      503,
      { error: 'server busy, please try again.  maximum pending requests exceeded' },
      'ModelUnavailable',
    ],
    [
      'it lacks memory',
      500,
      { error: 'model requires more system memory (5.6 GiB) than is available (3.1 GiB)' },
      'ModelUnavailable',
    ],
  ),
  compatible: errors(
    ['TEI is overloaded', 429, { error: 'Model is overloaded', error_type: 'Overloaded' }, 'ModelRateLimited'],
    ['TEI fails', 424, { error: 'backend error', error_type: 'Backend' }, 'ModelUnavailable'],
    [
      'vLLM has another model',
      404,
      { object: 'error', message: 'The model `m` does not exist.', type: 'NotFoundError', code: 404 },
      'ModelNotFound',
    ],
    [
      'LM Studio has no model',
      400,
      openaiError('No models loaded. Please load a model.', 'invalid_request_error', 'model_not_found'),
      'ModelNotFound',
    ],
    [
      'llama.cpp loads its model',
      503,
      { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
      'ModelUnavailable',
    ],
    [
      'a gateway has no credit',
      402,
      { error: { code: 402, message: 'Insufficient credits', metadata: {} } },
      'ModelQuotaUsedUp',
    ],
    [
      'a gateway refuses with 200',
      200,
      { error: { code: 401, message: 'No cookie auth credentials found' } },
      'ModelUnauthorized',
    ],
  ),
};

/** How each provider refuses a call because the text in one place is longer than its window. */
export const TOO_LONG: Record<string, (place: number) => WireAnswer> = {
  openai: () => ({
    status: 400,
    body: openaiError("This model's maximum context length is 8192 tokens, however you requested 10000.", 'x'),
  }),
  azure: () => ({
    status: 400,
    body: azureError('400', "This model's maximum context length is 8192 tokens, however you requested 10000."),
  }),
  cohere: () => ({ status: 400, body: { message: 'too many tokens: texts exceed the model context length' } }),
  voyage: (place) => ({
    status: 400,
    body: {
      detail: `Request to model 'm' failed. The example at index ${place} in your batch has too many tokens and does not fit into the model's context window of 32000 tokens.`,
    },
  }),
  google: () => ({ status: 400, body: googleError(400, 'INVALID_ARGUMENT', 'The input token count exceeds 2048.') }),
  vertex: () => ({
    status: 400,
    body: googleError(400, 'INVALID_ARGUMENT', 'the input token count is 20003 but the model supports up to 20000.'),
  }),
  bedrock: () => ({
    status: 400,
    body: {
      message: '400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9000',
    },
    ...aws('ValidationException'),
  }),
  mistral: (place) => ({
    status: 400,
    body: mistralError(`Input id ${place} has 9000 tokens, exceeding max 8192 tokens.`, 'invalid_request', '3210'),
  }),
  jina: () => ({ status: 400, body: { detail: 'Input text exceeds maximum length of 8192 tokens.' } }),
  ollama: () => ({ status: 400, body: { error: 'the input length exceeds the context length' } }),
  compatible: () => ({
    status: 413,
    body: { error: '`inputs` must have less than 512 tokens. Given: 1024', error_type: 'Validation' },
  }),
};
