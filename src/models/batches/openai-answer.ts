import { z } from 'zod';
import { ReembedError } from '../../contract/errors.ts';
import { checkVectors } from '../check-vectors.ts';
import { readVectors } from '../read-vectors.ts';
import { toUnitLength } from '../remote/unit-length.ts';
import type { BatchAnswer } from './interface.ts';
import { parseJson } from './openai-call.ts';

const lineSchema = z.object({
  custom_id: z.string(),
  response: z.object({ status_code: z.int(), body: z.unknown() }).nullish(),
  error: z.object({ code: z.string().nullish() }).nullish(),
});
const bodySchema = z.object({
  usage: z.object({ total_tokens: z.int().positive() }).nullish().catch(null),
  error: z.object({ code: z.string().nullish() }).nullish().catch(null),
});

/** Statuses of 4xx that say nothing about the text. */
const TEMPORARY = [408, 409, 425, 429];
const CODE = /^[\w.-]{1,60}$/;

/**
 * Reads a line of an answer file; undefined if it is not one. An unusable vector counts as refused, and is paid for. Error:
 * `ModelWrongDimension`, which concerns the whole model.
 */
export function openaiAnswer(
  text: string,
  { config, label }: { config: { dimensions: number; normalize?: boolean | undefined }; label: string },
): BatchAnswer | undefined {
  const line = lineSchema.safeParse(parseJson(text));
  if (!line.success) return undefined;
  const { custom_id: id, response, error } = line.data;
  if (!response) return { id, kind: 'again', why: codeOf(error) ?? 'no answer' };
  const { status_code: status, body } = response;
  const read = bodySchema.safeParse(body);
  if (status !== 200) {
    const why = [`HTTP ${status}`, codeOf(read.data?.error)].filter(Boolean).join(' ');
    const isOfText = status >= 400 && status < 500 && !TEMPORARY.includes(status);
    return { id, kind: isOfText ? 'refused' : 'again', why };
  }
  const tokens = read.data?.usage?.total_tokens ?? null;
  try {
    const texts = [''];
    const { dimensions } = config;
    const [vector = []] = checkVectors(readVectors(body, { label, texts }), { texts, dimensions, label });
    return { id, kind: 'vector', vector: config.normalize ? toUnitLength(vector) : vector, tokens };
  } catch (thrown) {
    if (!(thrown instanceof ReembedError) || thrown.type === 'ModelWrongDimension') throw thrown;
    return { id, kind: 'refused', why: thrown.message, tokens };
  }
}

function codeOf(error: { code?: string | null | undefined } | null | undefined): string | undefined {
  return error?.code && CODE.test(error.code) ? error.code : undefined;
}
