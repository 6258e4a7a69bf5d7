import type { AuditKind } from '../../contract/audit.ts';
import { storedPayloads } from '../../pipeline/payload-memory.ts';
import { originOf } from '../../pipeline/ready.ts';
import { dropDuplicates, dropOrphanedParts, readLiveObjects, replaceParts } from '../../store/protocol/audit-repair.ts';
import { MAX_READ_BYTES } from '../../store/read-size.ts';
import type { IndexRow } from '../../store/schema.ts';
import { prepareCopies } from '../copy-objects.ts';
import type { ActivityDependencies } from '../dependencies.ts';

const CAME_WITH_IT = 'its parts came with it, and are stored nowhere else: send the object again';

/**
 * Repairs a page of broken objects: embeds them again with the versions they have, or deletes what belongs to no object.
 * Returns why an object could not be embedded, by id.
 */
export async function repairObjects(
  deps: ActivityDependencies,
  { index, signal }: { index: IndexRow; signal: AbortSignal },
  broken: ReadonlyMap<string, AuditKind>,
): Promise<Map<string, string>> {
  const { background: db } = deps;
  const idsOf = (is: (kind: AuditKind) => boolean) => [...broken].filter(([, kind]) => is(kind)).map(([id]) => id);
  await dropOrphanedParts(
    db,
    index.no,
    idsOf((kind) => kind === 'orphaned-parts'),
  );
  await dropDuplicates(
    db,
    index.no,
    idsOf((kind) => kind === 'duplicate'),
  );
  const reasons = new Map<string, string>();
  const embedded = idsOf((kind) => kind !== 'orphaned-parts' && kind !== 'duplicate');
  if (embedded.length === 0) return reasons;
  const memory = await storedPayloads.hold(MAX_READ_BYTES, { signal });
  try {
    const objects = await readLiveObjects(db, index.no, embedded);
    for (const { id, hash } of objects) if (originOf(hash) === 'own') reasons.set(id, CAME_WITH_IT);
    // Without its hash, an object gets its parts from the splitter, and their vectors from the model.
    const split = objects.filter(({ id }) => !reasons.has(id)).map((object) => ({ ...object, hash: null }));
    const target = { taskId: null, sourceNo: index.no, dest: index, signal };
    for await (const { writes, failed } of prepareCopies(deps, target, split)) {
      await replaceParts(
        db,
        index.no,
        writes.filter(({ kind }) => kind === 'content'),
      );
      for (const { objectId, reason, detail } of failed) reasons.set(objectId, `${reason}: ${detail}`);
    }
    return reasons;
  } finally {
    memory.release();
  }
}
