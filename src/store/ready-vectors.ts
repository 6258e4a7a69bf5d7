import type { FieldIssue } from '../contract/errors.ts';
import { joinBytes } from '../contract/json-text/lines.ts';
import { readyDimensions } from '../contract/ready-parts.ts';
import { vectorSpaceOf } from '../contract/vector-space.ts';
import { EncodedItem } from './encoded-item.ts';
import type { IndexRow } from './schema.ts';

/** A staged item with ready vectors names their space: its alias may point to an index of another model by then. */
export interface InSpace {
  space?: string;
}

/** Checks that an item has ready vectors only if the index allows them, and of its dimensions. */
export function readyVectorIssue(index: IndexRow, item: object, path: string): FieldIssue | undefined {
  const dimensions = dimensionsIn(item);
  if (dimensions === undefined) return undefined;
  const parts = path === '' ? 'parts' : `${path}.parts`;
  if (!index.readyVectors) return { path: parts, message: `not allowed: ${index.name} is without readyVectors` };
  const wanted = index.model.dimensions;
  if (dimensions === wanted) return undefined;
  const message = `must have ${wanted} numbers, as the model of ${index.name} has dimensions, not ${dimensions}`;
  return { path: `${parts}.0.vector`, message };
}

/** Returns the item as it is staged: with the space of its ready vectors, if it has any. */
export function withSpace<T extends object>(index: IndexRow, item: T): T | EncodedItem | (T & InSpace) {
  if (dimensionsIn(item) === undefined) return item;
  const space = vectorSpaceOf(index.model);
  if (!(item instanceof EncodedItem)) return { ...item, space };
  const end = Buffer.from(`,"space":${JSON.stringify(space)}}`);
  return new EncodedItem({ ...item, json: joinBytes([item.json.subarray(0, -1), end]) });
}

const dimensionsIn = (item: object) => (item instanceof EncodedItem ? item.dimensions : readyDimensions(item));
