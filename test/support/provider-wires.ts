import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as a provider received it. */
export interface WireRequest {
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: Record<string, unknown>;
}

export interface WireAnswer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
  /** Ends the connection in the middle of the answer. */
  isCut?: boolean;
}

export interface WireServer {
  origin: string;
  requests: WireRequest[];
  /** Answers the next requests in this way, instead of with vectors. */
  answer(answer: ((request: WireRequest) => WireAnswer) | undefined): void;
  close(): Promise<void>;
}

/** Different for each text, of length above 1. */
export function vectorOfText(text: string, dimensions = 4): number[] {
  return Array.from({ length: dimensions }, (_, at) => (text.charCodeAt(at % Math.max(1, text.length)) || 1) + at);
}

type Embed = (request: WireRequest) => WireAnswer;

const textsOf = (value: unknown) => [value].flat() as string[];

/** As in https://platform.openai.com/docs/api-reference/embeddings, which others follow. */
const openai: Embed = ({ body }) => {
  const data = textsOf(body.input).map((text, index) => ({
    object: 'embedding',
    index,
    embedding: vectorOfText(text),
  }));
  const usage = { prompt_tokens: 7, total_tokens: 7 };
  return { status: 200, body: { object: 'list', model: body.model, data, usage } };
};

/** As in https://docs.cohere.com/v2/reference/embed. */
const cohere: Embed = ({ body }) => {
  const float = textsOf(body.texts).map((text) => vectorOfText(text));
  const meta = { api_version: { version: '2' }, billed_units: { input_tokens: 7 } };
  return {
    status: 200,
    body: { id: 'e1', texts: body.texts, embeddings: { float }, meta, response_type: 'embeddings_by_type' },
  };
};

const googleText = (request: unknown) =>
  (request as { content: { parts: { text: string }[] } }).content.parts[0]?.text ?? '';

/** As in https://ai.google.dev/api/embeddings. */
const google: Embed = ({ path, body }) => {
  if (path.endsWith(':embedContent')) {
    return { status: 200, body: { embedding: { values: vectorOfText(googleText(body)) } } };
  }
  const embeddings = (body.requests as unknown[]).map((request) => ({ values: vectorOfText(googleText(request)) }));
  return { status: 200, body: { embeddings } };
};

/** As in https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api. */
const vertex: Embed = ({ body }) => {
  const predictions = (body.instances as { content: string }[]).map(({ content }) => ({
    embeddings: { values: vectorOfText(content), statistics: { truncated: false, token_count: 7 } },
  }));
  return { status: 200, body: { predictions, metadata: { billableCharacterCount: 7 } } };
};

/** As in https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html. */
const bedrock: Embed = ({ body }) => {
  if (body.texts) {
    const embeddings = textsOf(body.texts).map((text) => vectorOfText(text));
    return { status: 200, body: { id: 'e1', embeddings, response_type: 'embeddings_floats' } };
  }
  return { status: 200, body: { embedding: vectorOfText(String(body.inputText)), inputTextTokenCount: 7 } };
};

/** As in https://docs.ollama.com/api/embed. */
const ollama: Embed = ({ body }) => {
  const embeddings = textsOf(body.input).map((text) => vectorOfText(text));
  return {
    status: 200,
    body: { model: body.model, embeddings, total_duration: 1, load_duration: 1, prompt_eval_count: 7 },
  };
};

const WIRES: readonly [path: RegExp, embed: Embed][] = [
  [/\/embeddings(?:\?|$)/, openai],
  [/^\/v2\/embed$/, cohere],
  [/:(?:embedContent|batchEmbedContents)$/, google],
  [/:predict(?:\?|$)/, vertex],
  [/^\/model\/.+\/invoke$/, bedrock],
  [/^\/api\/embed$/, ollama],
];

/** The texts of a request to any of the interfaces. */
export function textsOfRequest({ body }: WireRequest): string[] {
  if (Array.isArray(body.requests)) return body.requests.map(googleText);
  if (Array.isArray(body.instances)) return body.instances.map(({ content }) => String(content));
  if (body.content) return [googleText(body)];
  return textsOf(body.input ?? body.texts ?? body.inputText);
}

/** How the interface of a request answers it with vectors. */
export function usualAnswer(request: WireRequest): WireAnswer {
  const embed = WIRES.find(([pattern]) => pattern.test(request.path))?.[1];
  return embed?.(request) ?? { status: 404, body: { error: `no ${request.path}` } };
}

/** Starts a server that speaks the published interfaces of all providers, told apart by the path. */
export async function startWireServer(): Promise<WireServer> {
  const requests: WireRequest[] = [];
  let special: ((request: WireRequest) => WireAnswer) | undefined;
  const server = createServer(async (incoming, response) => {
    const path = incoming.url ?? '/';
    const request = { path, headers: incoming.headers, body: JSON.parse(await textOf(incoming)) };
    requests.push(request);
    const answer = (special ?? usualAnswer)(request);
    const written = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    const type = { 'content-type': 'application/json' };
    if (answer.isCut) {
      response.writeHead(answer.status, { ...type, 'content-length': String(written.length) });
      response.write(written.slice(0, written.length / 2), () => response.destroy());
      return;
    }
    response.writeHead(answer.status, { ...type, ...answer.headers });
    response.end(written);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    answer(answer) {
      special = answer;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
