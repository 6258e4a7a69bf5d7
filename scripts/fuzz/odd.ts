import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Contract } from '../../test/api/contract/contract.ts';
import { Random } from '../../test/torture/random.ts';
import { type OddRequest, oddRequests } from './odd-requests.ts';

export interface OddOptions {
  seconds: number;
  seed: number;
}

export interface OddResult {
  sent: number;
  /** Responses by status. */
  statuses: Record<number, number>;
  /** Descriptions of problems, with the request that shows each. */
  problems: string[];
}

const AT_ONCE = 4;
const MAX_MS = 20_000;
/** Max problems that are reported in full. */
const KEPT = 20;
/** Errors of a model at an address where nobody listens, which the document allows. */
const ALLOWED_5XX = /^urn:reembed:error:Model/;

/**
 * Sends requests that are odd in one place each, in an order given by the seed, until all are sent or the time is over.
 * A status of 500 or more, or no response, is a problem.
 */
export async function sendOdd(url: string, { seconds, seed }: OddOptions): Promise<OddResult> {
  const contract = new Contract(await (await fetch(`${url}/openapi.json`)).json());
  const requests = new Random(seed).shuffled([...oddRequests(contract)]);
  const result: OddResult = { sent: 0, statuses: {}, problems: [] };
  const endMs = Date.now() + seconds * 1_000;
  const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const sender = async () => {
    for (;;) {
      const one = Date.now() < endMs ? requests.pop() : undefined;
      if (!one) return;
      const { status, problem } = await send(url, one, agent);
      result.sent += 1;
      result.statuses[status] = (result.statuses[status] ?? 0) + 1;
      if (problem && result.problems.length < KEPT) result.problems.push(`${shown(one)}: ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
  agent.destroy();
  return result;
}

function send(url: string, one: OddRequest, agent: http.Agent): Promise<{ status: number; problem?: string }> {
  const { method, path, headers, body } = one;
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(MAX_MS);
    const request = http.request(url + path, { method, agent, signal, headers: latin(headers) }, async (answer) => {
      const status = answer.statusCode ?? 0;
      if (answer.headers['content-type'] === 'text/event-stream') {
        request.destroy();
        return resolve({ status });
      }
      const text = await buffer(answer).then(String, (error: Error) => error.message);
      if (status < 500) return resolve({ status });
      const { type = '' } = (answer.headers['content-type']?.includes('problem') ? JSON.parse(text) : {}) as {
        type?: string;
      };
      resolve(ALLOWED_5XX.test(type) ? { status } : { status, problem: `${status} ${text.slice(0, 300)}` });
    });
    request.on('error', (error) => resolve({ status: 0, problem: `no answer: ${error.message}` }));
    request.end(body);
  });
}

/** Encodes header fields as Node expects them: one character per byte. */
function latin(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Buffer.from(value, 'utf8').toString('latin1')]),
  );
}

function shown({ method, path, headers, body }: OddRequest): string {
  const sent = body === undefined ? '' : ` ${JSON.stringify(body.subarray(0, 300).toString('latin1'))}`;
  return `${method} ${path.slice(0, 300)} ${JSON.stringify(headers)}${sent}`;
}
