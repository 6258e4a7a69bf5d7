import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of one request of a job. */
type Outcome = 'answer' | 'expire' | 'twice' | 'rename' | { status: number; code?: string };

export interface BatchJob {
  id: string;
  status: string;
  metadata: Record<string, string>;
  /** Requests by custom id. */
  requests: { id: string; text: string; body: Record<string, unknown> }[];
  inputFile: string;
  outputFile: string | null;
  errorFile: string | null;
  errors: { code: string; message: string }[];
  createdAt: number;
  looks: number;
}

export interface BatchServerOptions {
  /** As they have it: vectors of texts. */
  vectorOf(text: string): number[];
  /** A job ends at this look at it. */
  looks?: number;
  /** Chooses what becomes of a request. */
  outcomeOf?: (text: string, job: BatchJob) => Outcome;
  /** Fails the validation of a job, with a code of the provider. */
  refuse?: (job: BatchJob, jobs: readonly BatchJob[]) => { code: string; message: string } | undefined;
  /** Answers a request in place of the server; `drop` handles it and closes the connection. */
  fail?: (method: string, path: string) => { status: number; body: unknown } | 'drop' | undefined;
  apiKey?: string;
  /** Tokens of a text, as the server counts them: 1 unless given. */
  tokens?: number | ((text: string) => number);
}

export interface BatchServer {
  readonly url: string;
  readonly jobs: BatchJob[];
  readonly files: Map<string, string>;
  /** Texts of usual calls. */
  readonly embedded: string[];
  options: BatchServerOptions;
  close(): Promise<void>;
}

const OVER = ['completed', 'expired', 'failed', 'cancelled'];

/** Starts OpenAI's `/v1/files`, `/v1/batches` and `/v1/embeddings`. */
export async function startBatchServer(options: BatchServerOptions): Promise<BatchServer> {
  const server: BatchServer = { url: '', jobs: [], files: new Map(), embedded: [], options, close: async () => {} };
  const http = createServer(async (incoming, response) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const body = await readBody(incoming);
    const send = (status: number, json: unknown) => sendJson(response, status, json);
    if (server.options.apiKey && headers.authorization !== `Bearer ${server.options.apiKey}`) {
      return send(401, { error: { message: 'Incorrect API key provided' } });
    }
    const failed = server.options.fail?.(method, url);
    if (failed && failed !== 'drop') return send(failed.status, failed.body);
    const answer = handle(server, { method, url, type: headers['content-type'] ?? '', body });
    if (failed === 'drop') return response.destroy();
    if (typeof answer.body === 'string') return response.writeHead(answer.status).end(answer.body);
    return send(answer.status, answer.body);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return Object.assign(server, {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`,
    close: () =>
      new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  });
}

interface Request {
  method: string;
  url: string;
  type: string;
  body: Buffer;
}

const NOT_FOUND = { status: 404, body: { error: { message: 'no such path' } } };

function handle(server: BatchServer, { method, url, type, body }: Request): { status: number; body: unknown } {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const [, , kind, id, action] = pathname.split('/');
  if (kind === 'files' && method === 'POST') return upload(server, body, type);
  if (kind === 'files' && id) return file(server, id, method, action);
  if (kind === 'embeddings') return embed(server, JSON.parse(body.toString()));
  if (kind !== 'batches') return NOT_FOUND;
  if (method === 'POST' && !id) return create(server, JSON.parse(body.toString()));
  if (!id) return list(server, searchParams);
  const job = server.jobs.find((one) => one.id === id);
  if (!job) return NOT_FOUND;
  if (method === 'POST' && action === 'cancel') {
    if (!OVER.includes(job.status)) job.status = 'cancelling';
    return { status: 200, body: shown(job) };
  }
  look(server, job);
  return { status: 200, body: shown(job) };
}

function upload({ files }: BatchServer, body: Buffer, type: string) {
  const [, boundary] = /boundary=(.+)$/.exec(type) ?? [];
  const parts = body.toString('utf8').split(`--${boundary}`);
  const [, content = ''] = parts.find((part) => part.includes('name="file"; filename='))?.split('\r\n\r\n') ?? [];
  const purpose = parts.find((part) => part.includes('name="purpose"'))?.includes('batch');
  if (!purpose || content === '') return { status: 400, body: { error: { message: 'purpose and file are required' } } };
  const id = `file-${randomUUID()}`;
  files.set(id, content.replace(/\r\n$/, ''));
  return { status: 200, body: { id, object: 'file', purpose: 'batch' } };
}

function file({ files }: BatchServer, id: string, method: string, action: string | undefined) {
  const content = files.get(id);
  if (content === undefined) return NOT_FOUND;
  if (method === 'DELETE') return { status: 200, body: { id, deleted: files.delete(id) } };
  return action === 'content' ? { status: 200, body: content } : NOT_FOUND;
}

function create(server: BatchServer, body: { input_file_id: string; endpoint: string; metadata: never }) {
  const content = server.files.get(body.input_file_id);
  if (content === undefined || body.endpoint !== '/v1/embeddings') {
    return { status: 400, body: { error: { message: 'invalid input file' } } };
  }
  const lines = content.split('\n').filter((line) => line !== '');
  const requests = lines.map((line) => {
    const { custom_id: id, body } = JSON.parse(line);
    return { id, text: String(body.input), body };
  });
  const job: BatchJob = {
    ...{ id: `batch_${randomUUID()}`, status: 'validating', metadata: body.metadata, requests },
    ...{ inputFile: body.input_file_id, outputFile: null, errorFile: null, errors: [], looks: 0 },
    createdAt: Math.floor(Date.now() / 1_000),
  };
  server.jobs.unshift(job);
  return { status: 200, body: shown(job) };
}

function list({ jobs }: BatchServer, query: URLSearchParams) {
  const from = jobs.findIndex(({ id }) => id === query.get('after')) + 1;
  const page = jobs.slice(from, from + Number(query.get('limit') ?? 20));
  return { status: 200, body: { object: 'list', data: page.map(shown), has_more: from + page.length < jobs.length } };
}

/** A job makes progress each time that it is looked at. */
function look(server: BatchServer, job: BatchJob): void {
  const { looks = 1, refuse } = server.options;
  if (OVER.includes(job.status)) return;
  job.looks++;
  const problem = refuse?.(job, server.jobs);
  if (problem) Object.assign(job, { status: 'failed', errors: [problem] });
  else if (job.looks < looks) job.status = job.status === 'cancelling' ? 'cancelling' : 'in_progress';
  else finish(server, job);
}

function finish(server: BatchServer, job: BatchJob): void {
  const { outcomeOf = () => 'answer', vectorOf } = server.options;
  const output: string[] = [];
  const errors: string[] = [];
  let hasExpired = false;
  for (const { id, text, body } of job.requests) {
    const outcome = outcomeOf(text, job);
    const line = (custom: string, response: unknown, error: unknown = null) =>
      JSON.stringify({ id: randomUUID(), custom_id: custom, response, error });
    const bytes = Buffer.from(Float32Array.from(vectorOf(text)).buffer).toString('base64');
    const embedding = body.encoding_format === 'base64' ? bytes : vectorOf(text);
    const data = [{ object: 'embedding', index: 0, embedding }];
    const answer = {
      status_code: 200,
      body: { object: 'list', data, usage: { total_tokens: tokensOf(server.options, text) } },
    };
    if (outcome === 'expire') {
      hasExpired = true;
      errors.push(line(id, null, { code: 'batch_expired', message: 'This request could not be executed in time' }));
    } else if (typeof outcome === 'object') {
      const error = { code: outcome.code ?? null, message: 'a text cannot be embedded' };
      errors.push(line(id, { status_code: outcome.status, body: { error } }));
    } else {
      output.push(line(outcome === 'rename' ? randomUUID() : id, answer));
      if (outcome === 'twice') output.push(line(id, answer));
    }
  }
  const store = (lines: string[]) => {
    const id = `file-${randomUUID()}`;
    if (lines.length > 0) server.files.set(id, lines.toReversed().join('\n'));
    return lines.length > 0 ? id : null;
  };
  const status = job.status === 'cancelling' ? 'cancelled' : hasExpired ? 'expired' : 'completed';
  Object.assign(job, { status, outputFile: store(output), errorFile: store(errors) });
}

function embed({ options, embedded }: BatchServer, { input }: { input: string | string[] }) {
  const texts = [input].flat();
  embedded.push(...texts);
  const refused = texts.some((text) => typeof options.outcomeOf?.(text, {} as BatchJob) === 'object');
  if (refused) return { status: 400, body: { error: { message: 'a text cannot be embedded' } } };
  const data = texts.map((text, index) => ({ object: 'embedding', index, embedding: options.vectorOf(text) }));
  const tokens = texts.reduce((sum, text) => sum + tokensOf(options, text), 0);
  return { status: 200, body: { object: 'list', data, usage: { total_tokens: tokens } } };
}

function tokensOf({ tokens = 1 }: BatchServerOptions, text: string): number {
  return typeof tokens === 'number' ? tokens : tokens(text);
}

function shown(job: BatchJob) {
  const { id, status, metadata, requests, inputFile, outputFile, errorFile, errors, createdAt } = job;
  return {
    ...{ id, object: 'batch', endpoint: '/v1/embeddings', status, metadata, created_at: createdAt },
    ...{ input_file_id: inputFile, output_file_id: outputFile, error_file_id: errorFile },
    errors: errors.length > 0 ? { object: 'list', data: errors } : null,
    request_counts: { total: requests.length, completed: outputFile ? requests.length : 0, failed: 0 },
  };
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
