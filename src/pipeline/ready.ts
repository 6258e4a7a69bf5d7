import { createHash } from 'node:crypto';
import { languageOf } from '../contract/full-text.ts';
import type { IndexConfig } from '../contract/indexes.ts';
import type { Metadata, Payload } from '../contract/objects.ts';
import { decodeVector, type ReadyPart } from '../contract/ready-parts.ts';
import { usesHalf } from '../contract/vector-index.ts';
import { vectorSpaceOf } from '../contract/vector-space.ts';
import type { Failure } from './failure.ts';
import { type PartsOptions, partsOf } from './parts-of.ts';
import type { OwnPart, PreparedPart, Ready } from './prepared.ts';
import type { Part } from './split.ts';
import { textOf } from './text-of.ts';
import { vectorProblem } from './vectors.ts';

/** What follows from ready parts: vectors, or texts to embed, or nothing but the payload, which is split as usual. */
export type Resolved =
  | { hash: string; vectors: PreparedPart[] }
  | { hash: string; texts: Part[] }
  | { hash: string; usual: true }
  | { failed: Failure };

/**
 * The hash of an object with ready parts has a third piece, so that later writes and copies know. `v`: vectors for the
 * parts that the splitter makes; `o`: vectors for other parts; both with a hash of the vectors. `m`: other parts, with
 * vectors of the model.
 */
const MARK = { usual: '.v', own: '.o', embedded: '.m' } as const;

/** Says how an object got its parts, by its hash. */
export function originOf(hash: string | null): 'splitter' | 'usual' | 'own' {
  const kind = hash?.split('.')[2]?.[0];
  if (kind === undefined) return 'splitter';
  return kind === 'v' ? 'usual' : 'own';
}

/** Reads the parts of a staged item. `space` is that of the index which accepted it. */
export function readyOf(
  { parts, space }: { parts?: readonly ReadyPart[] | undefined; space?: string },
  config: IndexConfig,
): Ready | undefined {
  if (!parts) return undefined;
  return {
    fits: space === vectorSpaceOf(config.model),
    parts: parts.map(({ start = null, end = null, vector }) => ({ start, end, embedding: decodeVector(vector) })),
  };
}

/**
 * Decides what becomes of ready parts. Vectors of the index's model are taken. Others are made again from the texts of the
 * parts, or by the splitter if it makes the same parts; a part without a text then fails the object. `plain` is the hash
 * of the payload without them.
 */
export async function resolveReady(
  { ready, payload, metadata, plain }: { ready: Ready; payload: Payload; metadata: Metadata; plain: string },
  options: PartsOptions,
): Promise<Resolved> {
  const { config } = options;
  const text = textOf(payload, config.splitter.fields);
  const problem = problemOf(ready, text, config);
  if (problem) return { failed: problem };
  const made = await partsOf(payload, { ...options, metadata });
  const isUsual = Array.isArray(made) && isSame(made, ready.parts);
  if (isUsual && !ready.fits) return { hash: plain, usual: true };
  const own = isUsual ? plain : ownHash(plain, ready.parts);
  const texts = ready.parts.map(({ start, end }, part) =>
    start === null || end === null ? null : { part, start, end, text: text.slice(start, end) },
  );
  if (!ready.fits) return { hash: own + MARK.embedded, texts: texts.filter((part) => part !== null) };
  const language = config.fullText && languageOf(config.fullText, metadata);
  return {
    hash: `${own}${isUsual ? MARK.usual : MARK.own}${hashOf(ready.parts)}`,
    vectors: ready.parts.map(({ start, end, embedding }, part) => ({
      ...{ part, start, end, isAverage: false, embedding },
      ...(language && texts[part] ? { words: { language, text: texts[part].text } } : {}),
    })),
  };
}

/** Whether parts have no text, or are not known any more: another model cannot make their vectors. */
export function lacksText({ parts }: Ready): boolean {
  return parts.length === 0 || parts.some(({ start }) => start === null);
}

function problemOf({ parts, fits }: Ready, text: string, config: IndexConfig): Failure | undefined {
  const { dimensions, name } = config.model;
  if (parts.length === 0) {
    const detail = 'it had parts without text, whose vectors are only in the index that it was written to';
    return { stage: 'embed', reason: 'NoText', detail };
  }
  for (const [at, { start, end, embedding }] of parts.entries()) {
    if (end !== null && end > text.length) {
      const detail = `parts.${at}.end is ${end}, and the text of the payload has ${text.length} UTF-16 code units`;
      return { stage: 'split', reason: 'InvalidInput', detail };
    }
    if (!fits && start === null) {
      const detail = `part ${at} has no text, and its vector is not of the model ${name}: it cannot be embedded again`;
      return { stage: 'embed', reason: 'NoText', detail };
    }
    if (!fits) continue;
    if (embedding.length !== dimensions) {
      const detail = `part ${at} has ${embedding.length} numbers, and the model ${name} has ${dimensions} dimensions`;
      return { stage: 'embed', reason: 'ModelWrongDimension', detail };
    }
    const problem = vectorProblem(embedding, config.metric, { isHalf: usesHalf(config) });
    if (problem) return { stage: 'embed', reason: problem.reason, detail: `part ${at}: ${problem.detail}` };
  }
  return undefined;
}

function isSame(made: readonly Part[], parts: readonly OwnPart[]): boolean {
  return made.length === parts.length && made.every(({ start, end }, at) => isAt(parts[at], start, end));
}

function isAt(part: OwnPart | undefined, start: number, end: number): boolean {
  return part?.start === start && part.end === end;
}

/** The first piece tells that the splitter would make other parts; the second stays. */
function ownHash(plain: string, parts: readonly OwnPart[]): string {
  const [left = '', right = ''] = plain.split('.');
  const places = JSON.stringify(parts.map(({ start, end }) => [start, end]));
  return `${createHash('sha256').update(`${left}:${places}`).digest('base64url')}.${right}`;
}

function hashOf(parts: readonly OwnPart[]): string {
  const hash = createHash('sha256');
  for (const { embedding } of parts) {
    const floats = embedding instanceof Float32Array ? embedding : Float32Array.from(embedding);
    hash.update(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength));
  }
  return hash.digest('base64url');
}
