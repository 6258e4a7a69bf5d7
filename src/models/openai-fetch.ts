import { ReembedError } from '../contract/errors.ts';
import { NO_MODEL } from './model-errors.ts';
import { answerLimit, readAnswer } from './read-body.ts';
import { type AnswerTo, readVectors } from './read-vectors.ts';
import { refusalOf } from './remote/whole-answer.ts';

type Fetch = typeof globalThis.fetch;

/** As the AI SDK writes it. Within a text each quote is escaped with a backslash, so this occurs nowhere else. */
const AS_NUMBERS = ',"encoding_format":"float"';
const ENCODINGS = { bytes: ',"encoding_format":"base64"', numbers: AS_NUMBERS, unnamed: '' } as const;
const DIMENSIONS = /,"dimensions":\d+/;

/** Optional parts of a request, and their alternatives. */
interface Variant {
  encoding: keyof typeof ENCODINGS;
  sendsDimensions: boolean;
}

interface Asked {
  variant: Variant;
  response: Response;
}

/** Statuses of servers that do not understand the request. */
const NOT_UNDERSTOOD: readonly number[] = [400, 415, 422];
const BREAKING: readonly number[] = [500, 501];
const ABOUT_FIELDS = /encoding_format|base64/i;
/** A server that was never seen to answer fails so often in a row before the fields are suspected, unless it names them. */
const UNCLEAR_BREAKS = 3;
/** Distinguishes refusals about the texts from refusals about the other fields. */
const ABOUT_TEXTS = /batch|length|token|context|too (?:many|long|large|big)|larger|maximum|limit|exceed/i;
const ABOUT_ENCODING = /encoding|format|base64|float/i;
const ABOUT_DIMENSIONS = /dimension|matryoshka/i;
/** Variants of a request are tried after at most this many refusals that do not mention the fields. */
const UNCLEAR_REFUSALS = 3;

/**
 * Creates, for one request, its `fetch` and functions that return the response for each text, and the tokens that the
 * provider has counted, if there are any.
 */
export type VectorFetch = (
  fetch: Fetch,
  to: AnswerTo,
) => {
  fetch: Fetch;
  vectors(): unknown[] | undefined;
  tokens(): number | undefined;
};

/**
 * Creates, for each request to one endpoint, a `fetch` that reads the vectors of the response itself and passes an
 * empty response to the AI SDK. The SDK checks each number of each vector with a schema: measured with 384 dimensions,
 * this takes longer than the request, the JSON and everything else together, and `checkVectors` checks each number
 * anyway. The SDK also keeps the order of the response, although OpenAI's format has an `index` for each vector, and
 * reads responses of any length.
 *
 * Requests vectors as base64 of little-endian single-precision numbers, as OpenAI's own clients do: a quarter of the
 * bytes, and nothing to parse. If an endpoint refuses this field or `dimensions`, other variants are tried, and the one
 * that works is used from then on.
 */
export function createVectorFetch(dimensions: number): VectorFetch {
  let settled: Variant | undefined;
  let unclear = 0;
  let breaks = 0;

  async function ask(fetch: Fetch, input: Parameters<Fetch>[0], init: RequestInit): Promise<Asked> {
    const body = String(init.body);
    const send = async (variant: Variant): Promise<Asked> => {
      const response = await fetch(input, { ...init, body: written(body, variant) });
      return { variant, response: response.ok ? response : await refusalOf(response) };
    };
    const isSettled = settled !== undefined;
    const first = await send(settled ?? { encoding: 'bytes', sendsDimensions: true });
    if (first.response.ok || isSettled) return first;
    const said = await first.response.clone().text();
    const { status } = first.response;
    if (!NOT_UNDERSTOOD.includes(status) && !mayBreakOnField(status, said)) return first;
    if (NO_MODEL.test(said)) return first;
    for (const variant of othersAfter(said, DIMENSIONS.test(tailOf(body)))) {
      const again = await send(variant);
      if (again.response.ok) return again;
    }
    return first;
  }

  /** Some servers fail on an unknown field, and few of them say so. */
  function mayBreakOnField(status: number, said: string): boolean {
    if (!BREAKING.includes(status)) return false;
    if (ABOUT_FIELDS.test(said)) return true;
    breaks++;
    return breaks % (UNCLEAR_BREAKS + 1) === 0;
  }

  function* othersAfter(said: string, withDimensions: boolean): Generator<Variant> {
    const aboutDimensions = withDimensions && ABOUT_DIMENSIONS.test(said);
    if (aboutDimensions) {
      for (const encoding of ['bytes', 'numbers', 'unnamed'] as const) yield { encoding, sendsDimensions: false };
      return;
    }
    if (!ABOUT_ENCODING.test(said)) {
      if (ABOUT_TEXTS.test(said) || unclear >= UNCLEAR_REFUSALS) return;
      unclear++;
    }
    for (const encoding of ['numbers', 'unnamed'] as const) yield { encoding, sendsDimensions: true };
    if (withDimensions) yield { encoding: 'unnamed', sendsDimensions: false };
  }

  return (fetch, to) => {
    let vectors: unknown[] | undefined;
    let tokens: number | undefined;
    return {
      vectors: () => vectors,
      tokens: () => tokens,
      async fetch(input, init = {}) {
        const { response, variant } = await ask(fetch, input, init);
        if (!response.ok) return response;
        const body = await readAnswer(response, answerLimit(to.texts.length, dimensions), to.label);
        const parsed = parse(body, to.label);
        const refusal = refusalIn(parsed);
        // Some gateways return 200 for a call that failed behind them.
        if (refusal !== undefined) return new Response(body, { status: refusal, headers: JSON_HEADERS });
        // Before the vectors: it was charged for, whatever they are.
        tokens = tokensIn(parsed);
        vectors = readVectors(parsed, to);
        settled = variant;
        return new Response('{"data":[]}', { status: response.status, headers: JSON_HEADERS });
      },
    };
  };
}

const JSON_HEADERS = { 'content-type': 'application/json' };

function written(body: string, { encoding, sendsDimensions }: Variant): string {
  const tail = tailOf(body);
  const head = body.slice(0, body.length - tail.length);
  const asked = tail.replace(AS_NUMBERS, ENCODINGS[encoding]);
  return head + (sendsDimensions ? asked : asked.replace(DIMENSIONS, ''));
}

/** Returns the part of the body after the texts. */
function tailOf(body: string): string {
  const at = body.lastIndexOf(AS_NUMBERS);
  return at < 0 ? '' : body.slice(at);
}

function parse(body: string, label: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new ReembedError('ModelBadAnswer', `The ${label} answered with something that is not JSON; check baseUrl`);
  }
}

/** Returns the tokens that a response says were counted, if it does. */
function tokensIn(parsed: unknown): number | undefined {
  const usage = (parsed as { usage?: unknown } | null)?.usage;
  if (typeof usage !== 'object' || usage === null) return undefined;
  const { total_tokens: total, prompt_tokens: prompt } = usage as { total_tokens?: unknown; prompt_tokens?: unknown };
  return [total, prompt].find((tokens): tokens is number => Number.isSafeInteger(tokens) && Number(tokens) > 0);
}

/** Returns the status that matches an error in the body, if there is one instead of vectors. */
function refusalIn(parsed: unknown): number | undefined {
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { data, error } = parsed as { data?: unknown; error?: unknown };
  if (Array.isArray(data) && data.length > 0) return undefined;
  if (typeof error !== 'object' || error === null) return error === undefined || error === null ? undefined : 500;
  const { code, status } = error as { code?: unknown; status?: unknown };
  const named = [code, status].find((value) => typeof value === 'number' && value >= 400 && value <= 599);
  if (typeof named === 'number') return Math.trunc(named);
  return /quota|rate.?limit/i.test(String(code)) ? 429 : 500;
}
