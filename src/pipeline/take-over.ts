import { canonicalJson } from '../contract/canonical-json.ts';
import type { IndexConfig } from '../contract/indexes.ts';
import { vectorSpaceOf } from '../contract/vector-space.ts';

type WithModel = Pick<IndexConfig, 'model'>;
type WithVectors = Pick<IndexConfig, 'model' | 'storage'>;

/** Whether the vectors that one index stores are those that the other would store for the same texts. */
export function mayTakeOver(from: WithVectors, to: WithVectors): boolean {
  // What was rounded to half precision is not what the model returned.
  if (from.storage === 'halfvec' && to.storage !== 'halfvec') return false;
  return vectorSpaceOf(from.model) === vectorSpaceOf(to.model);
}

/** Whether two indexes ask their model in the same way, for documents and queries. */
export function isSameModel(left: WithModel, right: WithModel): boolean {
  return canonicalJson(left.model) === canonicalJson(right.model);
}
