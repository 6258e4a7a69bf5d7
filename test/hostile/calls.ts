import http from 'node:http';
import { PROBLEM_MEDIA_TYPE } from '../../src/contract/problem.ts';

export interface Call {
  method: string;
  path: string;
  /** Sent unchanged, with its length. */
  body?: Buffer | undefined;
  /** Sent piece by piece, without a length. */
  pieces?: AsyncIterable<Uint8Array>;
  headers?: Record<string, string>;
  /** Closes the connection this long after the answer has begun; until then `reads` says whether it is read. */
  leave?: { afterMs: number; reads: boolean };
  /** Valid statuses, in addition to 429. */
  legal: readonly number[];
  /** Error types that make a status of 500 or more valid. */
  legalTypes?: RegExp;
}

export interface Answer {
  /** 0: no answer. */
  status: number;
  /** Error in the answer. */
  wrong?: string;
}

/** Max wait of a client for an answer. */
const MAX_MS = 120_000;
const TOO_MANY = 429;
const MAX_PROBLEM_BYTES = 100_000;

const agent = new http.Agent({ keepAlive: true });

/** Makes a call and judges its answer. A missing answer after `ended` was aborted is not an error. */
export function make(url: string, call: Call, ended: AbortSignal): Promise<Answer> {
  return new Promise((resolve) => {
    if (ended.aborted) return resolve({ status: 0 });
    const { method, path, body, pieces, leave } = call;
    const headers = { ...call.headers, ...(body && { 'content-length': body.length }) };
    const request = http.request(url + path, { method, headers, agent: leave ? false : agent });
    let status = 0;
    let hasLeft = false;
    const end = (why: string) => {
      clearTimeout(limit);
      ended.removeEventListener('abort', giveUp);
      const isOurs = hasLeft || ended.aborted || status !== 0;
      resolve(isOurs ? { status } : { status, wrong: `${method} ${path}: no answer: ${why}` });
    };
    const giveUp = () => {
      hasLeft = true;
      request.destroy();
    };
    const limit = setTimeout(() => request.destroy(new Error('it takes too long')), MAX_MS);
    ended.addEventListener('abort', giveUp, { once: true });
    request.on('error', (error) => end(error.message));
    // A complete answer that nobody reads does not end by itself.
    request.on('close', () => hasLeft && end('left'));
    request.on('response', (answer) => {
      status = answer.statusCode ?? 0;
      if (leave) setTimeout(giveUp, leave.afterMs);
      const kept: Buffer[] = [];
      let keptBytes = 0;
      if (leave?.reads !== false) {
        answer.on('data', (piece: Buffer) => {
          if (status < 400 || keptBytes > MAX_PROBLEM_BYTES) return;
          kept.push(piece);
          keptBytes += piece.length;
        });
      }
      answer.on('error', (error) => end(error.message));
      answer.on('close', () => {
        clearTimeout(limit);
        ended.removeEventListener('abort', giveUp);
        const isWhole = answer.complete || hasLeft || method === 'HEAD';
        const wrong = isWhole ? judge(call, status, answer.headers, kept) : 'broke off in the middle';
        resolve({ status, ...(wrong && { wrong: `${method} ${path.slice(0, 100)}: ${status}: ${wrong}` }) });
      });
    });
    if (pieces) void send(request, pieces);
    else request.end(body);
  });
}

async function send(request: http.ClientRequest, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const piece of pieces) {
    if (request.destroyed) return;
    request.write(piece);
  }
  request.end();
}

function judge(
  { method, legal, legalTypes }: Call,
  status: number,
  headers: http.IncomingHttpHeaders,
  kept: readonly Buffer[],
): string | undefined {
  const text = Buffer.concat(kept).toString();
  if (status < 400 || method === 'HEAD') {
    return legal.includes(status) || status === TOO_MANY ? undefined : `not as expected: ${text.slice(0, 200)}`;
  }
  if (!headers['content-type']?.startsWith(PROBLEM_MEDIA_TYPE)) return `no problem+json: ${text.slice(0, 200)}`;
  const { type, detail } = JSON.parse(text) as { type: string; detail?: string };
  if (status === TOO_MANY && headers['retry-after'] === undefined) return 'says not when to come back';
  const isLegal = status === TOO_MANY || legal.includes(status) || (status >= 500 && legalTypes?.test(type));
  return isLegal ? undefined : `${type}: ${detail?.slice(0, 200)}`;
}
