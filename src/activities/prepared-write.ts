import type { PreparedObject } from '../pipeline/prepared.ts';
import type { ObjectWrite } from '../store/protocol/object-write.ts';

/** Converts a prepared object to a write; an unchanged one has a payload only if it differs. */
export function preparedWrite(
  { unchanged, payloadChanged, ...object }: PreparedObject,
  order: Pick<ObjectWrite, 'version' | 'accepted'>,
): ObjectWrite {
  if (!unchanged) return { ...object, ...order, kind: 'content' };
  const { id, metadata, originalId, uri, hash } = object;
  const payload = payloadChanged ? object.payload : null;
  return { ...{ id, metadata, originalId, uri, hash, payload }, ...order, kind: 'unchanged' };
}
