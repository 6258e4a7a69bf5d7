import { z } from 'zod';
import { ReembedError } from '../../contract/errors.ts';
import { readLines } from '../../contract/json-text/lines.ts';
import { WELL_KNOWN_KEYS } from '../../contract/model-keys.ts';
import type { RemoteModelConfig } from '../../contract/provider-models.ts';
import { sizeOf } from '../cut-texts.ts';
import { modelFetch } from '../model-fetch.ts';
import { checkModelHost, wordsOf } from '../model-hosts.ts';
import { answerLimit, readAnswer } from '../read-body.ts';
import { endpointOf } from '../remote/endpoint.ts';
import type { RemoteDependencies } from '../remote/remote.ts';
import type { BatchAnswer, BatchInterface, ProviderBatch } from './interface.ts';
import { openaiAnswer } from './openai-answer.ts';
import { type OpenaiCall, openaiCaller, parseJson } from './openai-call.ts';

export type OpenaiModel = Extract<RemoteModelConfig, { provider: 'openai' }>;

/** The provider's limit is 50,000 texts and 200 MB; a file is in memory while it is sent. */
const MAX_REQUESTS = 50_000;
const MAX_BYTES = 32 * 1024 * 1024;
/** Key of the metadata with the name of a job. */
const NAME = 'reembed';
const PAGE = 100;
const MAX_PAGES = 100;
/** Clocks of this machine and of the provider may differ by this much. */
const CLOCKS_MS = 3_600_000;

const count = z.int().nonnegative().catch(0);
const batchSchema = z.object({
  id: z.string().min(1).max(200),
  status: z.string(),
  created_at: z.number().catch(Number.POSITIVE_INFINITY),
  input_file_id: z.string().max(200).nullish(),
  output_file_id: z.string().max(200).nullish(),
  error_file_id: z.string().max(200).nullish(),
  request_counts: z.object({ total: count, completed: count, failed: count }).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish().catch(null),
  errors: z
    .object({ data: z.array(z.object({ code: z.string().nullish(), message: z.string().nullish() })).nullish() })
    .nullish()
    .catch(null),
});
type Batch = z.output<typeof batchSchema>;
const pageSchema = z.object({ data: z.array(batchSchema), has_more: z.boolean().catch(false) });
const fileSchema = z.object({ id: z.string().min(1).max(200) });

const FAILED = ['failed', 'cancelled', 'cancelling'];
const ENDED = ['completed', 'expired', 'cancelled'];

/**
 * Creates the interface of OpenAI's batches (files and batches at the `baseUrl` of the model), by plain HTTP: the address
 * of each call is checked as for other calls of models. https://platform.openai.com/docs/api-reference/batch
 */
export function createOpenaiBatches(config: OpenaiModel, deps: RemoteDependencies): BatchInterface {
  const { env, keys = WELL_KNOWN_KEYS } = deps;
  const endpoint = endpointOf(config);
  checkModelHost(endpoint, keys);
  const label = `model "${config.name}" at ${new URL(endpoint.baseUrl).host}`;
  const words = wordsOf(endpoint.baseUrl, keys);
  const call = openaiCaller({
    ...endpoint,
    label,
    words,
    env,
    fetch: deps.fetch ?? modelFetch,
    timeoutMs: config.timeoutMs,
  });
  const isShown = words === 'all';
  const batchOf = (response: Response) => read(batchSchema, response, label);
  const look = async (id: string, signal: AbortSignal) => batchOf(await call({ path: pathOf(id), signal }));
  return {
    maxRequests: MAX_REQUESTS,
    maxBytes: MAX_BYTES,
    requestOf: (id, text) => Buffer.from(`${JSON.stringify(requestOf(config, id, text))}\n`),
    sizeOf: (text) => sizeOf((config.documentPrefix ?? '') + text),
    async find(name, sinceMs, signal) {
      const found = await findBatch(call, { label, sinceMs, signal }, ({ metadata, status }) => {
        return metadata?.[NAME] === name && !FAILED.includes(status);
      });
      return found && toProviderBatch(found, isShown);
    },
    async submit(name, requests, signal) {
      const { id } = await read(fileSchema, await call(upload(requests, signal)), label);
      const body = {
        ...{ input_file_id: id, endpoint: '/v1/embeddings', completion_window: '24h' },
        metadata: { [NAME]: name },
      };
      const json = { type: 'application/json', content: JSON.stringify(body) };
      return toProviderBatch(
        await batchOf(await call({ method: 'POST', path: '/batches', body: json, signal })),
        isShown,
      );
    },
    look: async (id, signal) => toProviderBatch(await look(id, signal), isShown),
    async *answers(id, signal) {
      const { output_file_id: output, error_file_id: errors } = await look(id, signal);
      for (const file of [output, errors]) {
        if (file) yield* readAnswers(call, file, { config, label, signal });
      }
    },
    async cancel(id, signal) {
      const { status } = await look(id, signal);
      if (['failed', 'cancelling', ...ENDED].includes(status)) return;
      await call({ method: 'POST', path: `${pathOf(id)}/cancel`, signal });
    },
    async forget(id, signal) {
      const { input_file_id: input, output_file_id: output, error_file_id: errors } = await look(id, signal);
      for (const file of [input, output, errors]) {
        if (file) await call({ method: 'DELETE', path: `/files/${encodeURIComponent(file)}`, signal, mayBeGone: true });
      }
    },
  };
}

function requestOf(
  { extraBody, name, documentPrefix = '', sendDimensions, dimensions }: OpenaiModel,
  id: string,
  text: string,
) {
  const body = {
    ...extraBody,
    ...{ model: name, input: documentPrefix + text, encoding_format: 'base64' },
    ...(sendDimensions && { dimensions }),
  };
  return { custom_id: id, method: 'POST', url: '/v1/embeddings', body };
}

/** Long, since a file has many megabytes. */
const UPLOAD_MS = 600_000;

function upload(requests: readonly Buffer[], signal: AbortSignal): OpenaiCall {
  // Not `FormData`: that of the platform is not known to the `fetch` of another version.
  const boundary = `reembed-${crypto.randomUUID()}`;
  const field = (disposition: string) => `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`;
  const head = `${field('name="purpose"')}\r\nbatch\r\n${field('name="file"; filename="reembed.jsonl"')}Content-Type: application/jsonl\r\n\r\n`;
  const content = new Blob([head, ...(requests as Buffer<ArrayBuffer>[]), `\r\n--${boundary}--\r\n`]);
  const body = { type: `multipart/form-data; boundary=${boundary}`, content };
  return { method: 'POST', path: '/files', body, signal, timeoutMs: UPLOAD_MS };
}

/** Looks through the jobs of the account, newest first. */
async function findBatch(
  call: (of: OpenaiCall) => Promise<Response>,
  { label, sinceMs, signal }: { label: string; sinceMs: number; signal: AbortSignal },
  isIt: (batch: Batch) => boolean,
): Promise<Batch | null> {
  let after = '';
  for (let page = 0; page < MAX_PAGES; page++) {
    const response = await call({ path: `/batches?limit=${PAGE}${after}`, signal, isFirst: true });
    const { data, has_more: hasMore } = await read(pageSchema, response, label);
    const found = data.find(isIt);
    if (found) return found;
    const last = data.at(-1);
    if (!last || !hasMore || last.created_at * 1_000 < sinceMs - CLOCKS_MS) return null;
    after = `&after=${encodeURIComponent(last.id)}`;
  }
  return null;
}

async function* readAnswers(
  call: (of: OpenaiCall) => Promise<Response>,
  file: string,
  { config, label, signal }: { config: OpenaiModel; label: string; signal: AbortSignal },
): AsyncGenerator<BatchAnswer, void> {
  const response = await call({
    path: `/files/${encodeURIComponent(file)}/content`,
    signal,
    timeoutMs: UPLOAD_MS,
    mayBeGone: true,
  });
  if (!response.ok || response.body === null) return;
  for await (const { bytes } of readLines(response.body as never, answerLimit(1, config.dimensions))) {
    const answer = openaiAnswer(Buffer.from(bytes).toString('utf8'), { config, label });
    if (answer) yield answer;
  }
}

const TOO_MUCH = /token_limit_exceeded|enqueued|too_many|rate_limit/i;
const QUOTA = /quota|billing|insufficient/i;

function toProviderBatch({ id, status, request_counts: counts, errors }: Batch, isShown: boolean): ProviderBatch {
  const { total = 0, completed = 0, failed = 0 } = counts ?? {};
  const batch = { id, answered: completed + failed, total };
  if (status !== 'failed') return { ...batch, state: ENDED.includes(status) ? 'ended' : 'running' };
  const { code, message } = errors?.data?.[0] ?? {};
  const said = `${code ?? ''} ${message ?? ''}`;
  const kind = TOO_MUCH.test(said) ? 'tooMuch' : QUOTA.test(said) ? 'quota' : 'other';
  const shown = (isShown ? message : code) ?? code ?? 'no reason is given';
  return { ...batch, state: 'failed', problem: { kind, message: shown.slice(0, 500) } };
}

/** A page of jobs is far smaller. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

async function read<T>(schema: z.ZodType<T>, response: Response, label: string): Promise<T> {
  const result = schema.safeParse(parseJson(await readAnswer(response, MAX_ANSWER_BYTES, label)));
  if (result.success) return result.data;
  throw new ReembedError('ModelBadAnswer', `The ${label} answered with something that is not a batch; check baseUrl`);
}

const pathOf = (id: string) => `/batches/${encodeURIComponent(id)}`;
