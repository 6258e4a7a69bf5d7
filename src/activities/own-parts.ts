import type { IndexConfig } from '../contract/indexes.ts';
import { vectorSpaceOf } from '../contract/vector-space.ts';
import type { Ready } from '../pipeline/prepared.ts';
import { originOf } from '../pipeline/ready.ts';
import type { Db } from '../store/database.ts';
import { findIndexByNo } from '../store/indexes.ts';
import type { StoredObject } from '../store/protocol/copy.ts';
import { readParts, weighParts } from '../store/stored-parts.ts';

/** A stored object, with its parts if they are not to be made from its payload. */
export interface CopiedObject extends StoredObject {
  ready?: Ready;
}

/** Max bytes of the vectors that are in memory together; one object may have more. */
const GROUP_BYTES = 24 * 1024 * 1024;

/**
 * Yields the objects to copy in groups, with the parts that came with them. An index of the same model gets their vectors
 * too. Left out are objects that were written or deleted meanwhile, since that change is copied separately.
 */
export async function* withOwnParts(
  db: Db,
  { sourceNo, dest }: { sourceNo: number; dest: IndexConfig },
  objects: readonly StoredObject[],
): AsyncGenerator<CopiedObject[]> {
  const marked = objects.filter(({ hash }) => originOf(hash) !== 'splitter');
  const source = marked.length === 0 ? undefined : await findIndexByNo(db, sourceNo);
  if (!source) {
    yield [...objects];
    return;
  }
  const fits = vectorSpaceOf(source.model) === vectorSpaceOf(dest.model);
  const isSplitAgain = JSON.stringify(source.splitter) !== JSON.stringify(dest.splitter);
  // Parts that the splitter would make too are made again where the model or the splitter is another one.
  const own = marked.filter(({ hash }) => originOf(hash) === 'own' || (fits && !isSplitAgain));
  const ids = new Set(own.map(({ id }) => id));
  const others = objects.filter(({ id }) => !ids.has(id));
  if (others.length > 0 || own.length === 0) yield others;
  const weights = fits ? await weighParts(db, sourceNo, [...ids]) : new Map<string, number>();
  for (const group of groupsOf(own, (id) => weights.get(id) ?? 0)) {
    const parts = await readParts(db, sourceNo, group, { vectors: fits });
    yield group.flatMap((object) => {
      const found = parts.get(object.id);
      return found ? { ...object, ready: { parts: found, fits } } : [];
    });
  }
}

function* groupsOf(objects: readonly StoredObject[], bytesOf: (id: string) => number): Generator<StoredObject[]> {
  let group: StoredObject[] = [];
  let bytes = 0;
  for (const object of objects) {
    if (group.length > 0 && bytes + bytesOf(object.id) > GROUP_BYTES) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(object);
    bytes += bytesOf(object.id);
  }
  if (group.length > 0) yield group;
}
