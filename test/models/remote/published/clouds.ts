import { errors, type Published } from './error.ts';

const googleError = (code: number, status: string, message: string, ...details: object[]) => ({
  error: { code, message, status, ...(details.length > 0 && { details }) },
});
const rpc = (type: string, fields: object) => ({ '@type': `type.googleapis.com/google.rpc.${type}`, ...fields });
const aws = (type: string) => ({ headers: { 'x-amzn-errortype': `${type}:http://internal.amazon.com/coral/` } });
const PLAN = 'You exceeded your current quota, please check your plan and billing details.';

/** Models of Google and AWS. */
export const CLOUDS: Record<string, Published> = {
  google: {
    errors: errors(
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
    tooLong: () => ({ status: 400, body: googleError(400, 'INVALID_ARGUMENT', 'The input token count exceeds 2048.') }),
  },
  vertex: {
    errors: errors(
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
    tooLong: () => ({
      status: 400,
      body: googleError(400, 'INVALID_ARGUMENT', 'the input token count is 20003 but the model supports up to 20000.'),
    }),
  },
  bedrock: {
    errors: errors(
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
      [
        'its model timed out',
        408,
        { message: 'the model timed out' },
        'ModelUnavailable',
        aws('ModelTimeoutException'),
      ],
    ),
    tooLong: () => ({
      status: 400,
      body: {
        message: '400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9000',
      },
      ...aws('ValidationException'),
    }),
  },
};
