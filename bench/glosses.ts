import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLocalEmbedder } from '../src/models/local.ts';
import { localModelsDirOf } from '../src/runtime/local-models.ts';
import { spread, wordnetLines } from './wordnet.ts';

/** Real texts and their vectors: definitions of WordNet, embedded by a local model. */
export interface Glosses {
  vectors: Float32Array[];
  /** Vectors of other definitions. */
  queries: Float32Array[];
}

const MODEL = 'all-minilm-l6-v2';

/** Reads definitions in an order that does not depend on their files, none twice. */
function readTexts(count: number): string[] {
  const texts = new Set<string>();
  for (const { line } of wordnetLines()) {
    const gloss = line.split(' | ')[1]?.trim();
    if (gloss) texts.add(gloss);
  }
  return spread([...texts]).slice(0, count);
}

/** Embeds definitions. The vectors are kept in the folder of temporary files, since that takes minutes. */
export async function embedGlosses(
  { parts, queries }: { parts: number; queries: number },
  say: (line: string) => void,
): Promise<Glosses> {
  const count = parts + queries;
  const embedder = createLocalEmbedder(MODEL, localModelsDirOf(process.env));
  const { dimensions } = embedder;
  const file = path.join(tmpdir(), `reembed-bench-${MODEL}-${count}.f32`);
  if (!existsSync(file)) {
    say(`embeds ${count} texts with ${MODEL}`);
    const numbers = new Float32Array(count * dimensions);
    const texts = readTexts(count);
    for (let from = 0; from < count; from += embedder.maxTexts) {
      const batch = texts.slice(from, from + embedder.maxTexts);
      const found = await embedder.embed(batch, { purpose: 'document' });
      for (const [at, vector] of found.entries()) numbers.set(vector, (from + at) * dimensions);
      if (from % (100 * embedder.maxTexts) === 0) say(`${from} of ${count}`);
    }
    writeFileSync(file, numbers);
  }
  const bytes = readFileSync(file);
  const vectorAt = (at: number) =>
    new Float32Array(bytes.buffer, bytes.byteOffset + at * dimensions * 4, dimensions).slice();
  const vectors = Array.from({ length: count }, (_, at) => vectorAt(at));
  return { vectors: vectors.slice(0, parts), queries: vectors.slice(parts) };
}
