import { type Embedder, type EmbedPurpose, wrapEmbedder } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Vector } from '../contract/vectors.ts';
import type { SearchModels } from './embed-query.ts';

const MODEL_WAIT_MS = 2_000;

/**
 * Returns models whose first call embeds all the texts at once, and whose further calls have their vectors already. A text
 * that a model refuses does not harm the others: they are then embedded one by one. `signal` ends the common calls.
 */
export function embedTogether(
  models: SearchModels,
  texts: readonly string[],
  signal: AbortSignal,
  purpose: EmbedPurpose = 'query',
): SearchModels {
  const distinct = [...new Set(texts)];
  const vectors = new Map<Embedder, Promise<Map<string, Vector>>>();
  return {
    embedder(config) {
      const embedder = models.embedder(config);
      const all = () => {
        const known = vectors.get(embedder);
        if (known) return known;
        const asked = embedAll(embedder, distinct, signal, purpose);
        vectors.set(embedder, asked);
        // A call that failed may be tried again.
        asked.catch(() => vectors.delete(embedder));
        return asked;
      };
      return wrapEmbedder(embedder, async (asked, options) => {
        const found = await untilAborted(all(), options.signal);
        const missing = asked.filter((text) => !found.has(text));
        const own = missing.length > 0 ? await embedder.embed(missing, options) : [];
        return asked.map((text) => (found.get(text) ?? own[missing.indexOf(text)]) as Vector);
      });
    },
  };
}

/** Ends the wait for a call that others wait for too. */
async function untilAborted<T>(call: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return call;
  signal.throwIfAborted();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([call, aborted]);
}

async function embedAll(
  embedder: Embedder,
  texts: readonly string[],
  signal: AbortSignal,
  purpose: EmbedPurpose,
): Promise<Map<string, Vector>> {
  const known = await embedder.knows?.(texts);
  const wanted = known ? texts.filter((_, at) => known[at]) : texts;
  const vectors = new Map<string, Vector>();
  const options = { purpose, signal, maxWaitMs: MODEL_WAIT_MS } as const;
  for (const call of callsOf(wanted, embedder)) {
    try {
      const answer = await embedder.embed(call, options);
      for (const [at, text] of call.entries()) vectors.set(text, answer[at] as Vector);
    } catch (error) {
      if (call.length === 1 || !(error instanceof ReembedError) || error.type !== 'ModelRejectedInput') throw error;
    }
  }
  return vectors;
}

/** Cuts texts into calls within the limits of the model. */
function callsOf(texts: readonly string[], { maxTexts, maxChars }: Embedder): string[][] {
  const calls: string[][] = [];
  let chars = 0;
  for (const text of texts) {
    const last = calls.at(-1);
    if (last && last.length < maxTexts && chars + text.length <= maxChars) {
      last.push(text);
      chars += text.length;
    } else {
      calls.push([text]);
      chars = text.length;
    }
  }
  return calls;
}
