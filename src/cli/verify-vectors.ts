import type { ReembedClient } from '../client/client.ts';
import { LIMITS } from '../contract/limits.ts';
import { decodeVector, type SentVector } from '../contract/ready-parts.ts';
import { UsageError } from './errors.ts';
import type { Io } from './output.ts';

/** A text and the vector that is said to be its. */
export interface VectorSample {
  id: string;
  text: string;
  vector: SentVector;
}

export const SAMPLED_TEXTS = 20;
const MIN_COSINE = 0.99;

/**
 * Embeds texts again with the model of an index and compares the vectors. @throws UsageError if any has a cosine below
 * 0.99, or none could be compared
 */
export async function verifyVectors(
  io: Io,
  client: ReembedClient,
  index: string,
  samples: readonly VectorSample[],
): Promise<void> {
  const fitting = samples.filter(({ text }) => text.length <= LIMITS.searchTextChars);
  const texts = fitting.map(({ text }) => text);
  const { vectors, model } = texts.length
    ? await client.embed({ index, texts, purpose: 'document' })
    : { vectors: [], model: { name: '' } };
  const compared = fitting.flatMap(({ id, vector }, at) => {
    const made = vectors[at];
    return made ? [{ id, cosine: cosine(decodeVector(vector), made) }] : [];
  });
  const worst = compared.reduce((low, one) => (one.cosine < low.cosine ? one : low), { id: '', cosine: 1 });
  const other = compared.filter((one) => !(one.cosine >= MIN_COSINE)).length;
  if (compared.length === 0) {
    throw new UsageError('no vector could be verified, since none has a text: --no-verify takes them as they are');
  }
  if (other > 0) {
    throw new UsageError(
      `of ${compared.length} texts that ${model.name} embedded again, ${other} have another vector (lowest cosine ` +
        `${worst.cosine.toFixed(3)}, ${JSON.stringify(worst.id)}): they are of another model, or of other texts, such as ` +
        'with a title before them',
    );
  }
  io.err(`verified: ${compared.length} texts embedded again, lowest cosine ${worst.cosine.toFixed(4)}\n`);
}

function cosine(left: ArrayLike<number>, right: ArrayLike<number>): number {
  if (left.length !== right.length) return -1;
  let [dot, a, b] = [0, 0, 0];
  for (let at = 0; at < left.length; at++) {
    const [x = 0, y = 0] = [left[at], right[at]];
    dot += x * y;
    a += x * x;
    b += y * y;
  }
  return dot / Math.sqrt(a * b);
}

/** Keeps some of many, each with the same chance. */
export class Reservoir<T> {
  readonly kept: T[] = [];
  private seen = 0;

  add(one: T): void {
    this.seen += 1;
    const place = this.kept.length < SAMPLED_TEXTS ? this.kept.length : Math.floor(Math.random() * this.seen);
    if (place < SAMPLED_TEXTS) this.kept[place] = one;
  }
}
