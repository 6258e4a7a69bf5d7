import type { Hit, Payload } from '../contract/objects.ts';
import { Pace } from '../cpu/pace.ts';
import { textOf } from '../pipeline/text-of.ts';
import type { FoundHit } from '../store/hits.ts';
import type { IndexRow } from '../store/schema.ts';

/** Cuts the texts that Postgres could not cut; other requests have their turns between the hits. */
export async function withTexts(hits: readonly FoundHit[], { splitter }: IndexRow): Promise<Hit[]> {
  const pace = new Pace();
  const complete: Hit[] = [];
  // Parts of one object often follow each other.
  let last: { id: string; whole: string } | undefined;
  for (const { source, ...hit } of hits) {
    if (source === undefined) {
      complete.push(hit);
      continue;
    }
    if (typeof source === 'string') last = undefined; // perhaps only the beginning of the text
    const whole: string = last?.id === hit.id ? last.whole : textOf(source as Payload, splitter.fields);
    last = { id: hit.id, whole };
    complete.push({ ...hit, text: whole.slice(hit.start ?? 0, hit.end ?? 0) });
    await pace.breathe();
  }
  return complete;
}
