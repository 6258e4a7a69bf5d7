import { errors, type Published } from './error.ts';

const mistralError = (message: string, type: string, code: string) => {
  return { object: 'error', message, type, param: null, code };
};

/** Providers with an interface of their own. */
export const OTHERS: Record<string, Published> = {
  cohere: {
    errors: errors(
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
      [
        'a text has a word that it denies',
        498,
        { message: 'invalid token: a deny-listed token' },
        'ModelRejectedInput',
      ],
      ['it is overloaded', 503, { message: 'service unavailable' }, 'ModelUnavailable'],
    ),
    tooLong: () => ({ status: 400, body: { message: 'too many tokens: texts exceed the model context length' } }),
  },
  voyage: {
    errors: errors(
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
    tooLong: (place) => ({
      status: 400,
      body: {
        detail: `Request to model 'm' failed. The example at index ${place} in your batch has too many tokens and does not fit into the model's context window of 32000 tokens.`,
      },
    }),
  },
  mistral: {
    errors: errors(
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
    tooLong: (place) => ({
      status: 400,
      body: mistralError(`Input id ${place} has 9000 tokens, exceeding max 8192 tokens.`, 'invalid_request', '3210'),
    }),
  },
  jina: {
    errors: errors(
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
    tooLong: () => ({ status: 400, body: { detail: 'Input text exceeds maximum length of 8192 tokens.' } }),
  },
  ollama: {
    errors: errors(
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
    tooLong: () => ({ status: 400, body: { error: 'the input length exceeds the context length' } }),
  },
};
