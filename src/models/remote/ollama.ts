import { APICallError } from 'ai';
import { z } from 'zod';
import type { SdkEmbeddingModel } from '../custom.ts';

export interface OllamaOptions {
  baseUrl: string;
  name: string;
  key: string | undefined;
  dimensions: number | undefined;
  fetch: typeof globalThis.fetch;
}

const answerSchema = z.object({
  embeddings: z.array(z.unknown()),
  prompt_eval_count: z.int().positive().optional(),
});
const refusalSchema = z.object({ error: z.string() });

/**
 * Creates a model that calls Ollama's `POST /api/embed`. Its OpenAI-compatible endpoint would cut long texts in silence;
 * this one refuses them.
 */
export function createOllamaModel({ baseUrl, name, key, dimensions, fetch }: OllamaOptions): SdkEmbeddingModel {
  const url = `${baseUrl.replace(/\/$/, '')}/embed`;
  return {
    specificationVersion: 'v3',
    provider: 'ollama',
    modelId: name,
    maxEmbeddingsPerCall: undefined,
    supportsParallelCalls: true,
    async doEmbed({ values, abortSignal }) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) },
        body: JSON.stringify({ model: name, input: values, truncate: false, dimensions }),
        signal: abortSignal ?? null,
      });
      const text = await response.text();
      const body = parse(text);
      const answer = answerSchema.safeParse(body);
      if (!response.ok || !answer.success) throw failure(url, response, text, body);
      const { embeddings, prompt_eval_count: tokens } = answer.data;
      // `checkVectors` checks the numbers of all models.
      return { embeddings: embeddings as number[][], warnings: [], ...(tokens !== undefined && { usage: { tokens } }) };
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failure(url: string, response: Response, responseBody: string, body: unknown): APICallError {
  const refusal = refusalSchema.safeParse(body);
  return new APICallError({
    message: refusal.success ? refusal.data.error : response.statusText,
    url,
    requestBodyValues: {},
    statusCode: response.status,
    responseHeaders: Object.fromEntries(response.headers),
    responseBody,
    ...(refusal.success && { data: refusal.data }),
  });
}
