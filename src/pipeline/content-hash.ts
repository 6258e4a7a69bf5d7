import { canonicalJson, canonicalPieces } from '../contract/canonical-json.ts';
import { languageOf } from '../contract/full-text.ts';
import type { IndexConfig } from '../contract/indexes.ts';
import { jsonBytes } from '../contract/json.ts';
import type { ModelConfig } from '../contract/models.ts';
import type { Metadata, Payload } from '../contract/objects.ts';
import { formatOf } from '../contract/splitter.ts';
import { decisiveOf } from '../contract/vector-space.ts';
import { Pace } from '../cpu/pace.ts';
import { AT_ONCE_CHARS, sha, shaInTurns } from '../cpu/sha.ts';
import { textOf } from './text-of.ts';

/**
 * Raise it when the same payload and settings give other texts or vectors than before: then everything is re-embedded.
 */
const PIPELINE_VERSION = 2;
/** Separates the hash of what is embedded from that of the payload. */
const MARK = '.';

/**
 * Creates a function that hashes an index's payloads. The hash is two SHA-256 (base64url, 43 characters each) with a
 * dot between them. The first covers everything that determines an object's vectors: its text, and the index's
 * splitter, average and model. The second covers the payload after loading, independent of the order of keys. Large
 * payloads are hashed in pieces: they neither block the event loop nor are copied as a whole. The hash of a small one
 * is returned without a promise, which would cost more than the hash.
 */
export function contentHasher(
  config: IndexConfig,
): (payload: Payload, options?: { metadata?: Metadata | undefined; pace?: Pace }) => string | Promise<string> {
  const { splitter, average, metric, fullText } = config;
  const left = canonicalJson({
    // Only averages depend on the metric: for cosine they have length 1.
    average: average ? (metric === 'cosine' ? 'normalized' : 'mean') : 'none',
    model: decisiveOf(config.model),
  });
  const right = canonicalJson({ splitter, ...windowIn(config.model), version: PIPELINE_VERSION });
  const [before, after] = [`${left.slice(0, -1)},"text":`, `,${right.slice(1)}`];
  const marksOf = (metadata: Metadata) => {
    // Words are stored with the parts, so that those of another language need new parts.
    const language = fullText?.languageField === undefined ? '' : `${languageOf(fullText, metadata)}:`;
    const format = splitter.formatField === undefined ? '' : `${formatOf(splitter, metadata) ?? 'text'}/`;
    return language + format;
  };
  function* decisive(payload: Payload, metadata: Metadata): Generator<string> {
    yield marksOf(metadata) + before;
    yield* canonicalPieces(textOf(payload, splitter.fields));
    yield after;
  }
  const inTurns = async (payload: Payload, metadata: Metadata, pace: Pace) => {
    const text = await shaInTurns(decisive(payload, metadata), pace);
    return text.toString('base64url') + MARK + (await payloadHash(payload, pace));
  };
  return (payload, { metadata = {}, pace = new Pace() } = {}) => {
    if (jsonBytes(payload) > AT_ONCE_CHARS) return inTurns(payload, metadata, pace);
    const whole = canonicalJson(payload);
    const text = typeof payload === 'string' ? whole : canonicalJson(textOf(payload, splitter.fields));
    return sha(marksOf(metadata) + before + text + after) + MARK + sha(whole);
  };
}

async function payloadHash(payload: Payload, pace: Pace): Promise<string> {
  return (await shaInTurns(canonicalPieces(payload), pace)).toString('base64url');
}

/**
 * Whether a hash was made of this payload, whatever the settings were and the version that made it. True for a hash that
 * says nothing about the payload.
 */
export async function isHashOf(hash: string, payload: Payload, pace: Pace): Promise<boolean> {
  const [, whole] = hash.split(MARK);
  return whole === undefined || whole === (await payloadHash(payload, pace));
}

/** A window that is configured cuts longer parts. Without one, hashes are those of earlier versions. */
function windowIn(model: ModelConfig): { windowTokens?: number } {
  const window = 'windowTokens' in model ? model.windowTokens : undefined;
  return window === undefined ? {} : { windowTokens: window };
}

/** Whether both hashes stand for the same vectors, even if other fields of the payload differ. */
export function haveSameText(left: string, right: string): boolean {
  const end = left.indexOf(MARK) + 1;
  return end > 0 && left.slice(0, end) === right.slice(0, end);
}
