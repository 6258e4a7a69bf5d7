import { errors, type Published } from './error.ts';

const openaiError = (message: string, type: string, code: string | null = null) => ({
  error: { message, type, param: null, code },
});
const azureError = (code: string, message: string) => ({ error: { code, message } });
const PLAN = 'You exceeded your current quota, please check your plan and billing details.';

/** Providers with the interface of OpenAI. `compatible` are servers: TEI, vLLM, llama.cpp, LM Studio. */
export const OPENAI_LIKE: Record<string, Published> = {
  openai: {
    errors: errors(
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
    tooLong: () => ({
      status: 400,
      body: openaiError("This model's maximum context length is 8192 tokens, however you requested 10000.", 'x'),
    }),
  },
  azure: {
    errors: errors(
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
    tooLong: () => ({
      status: 400,
      body: azureError('400', "This model's maximum context length is 8192 tokens, however you requested 10000."),
    }),
  },
  compatible: {
    errors: errors(
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
    tooLong: () => ({
      status: 413,
      body: { error: '`inputs` must have less than 512 tokens. Given: 1024', error_type: 'Validation' },
    }),
  },
};
