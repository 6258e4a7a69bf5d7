import type { PreparedObject } from '../pipeline/prepared.ts';
import type { ObjectWrite } from '../store/protocol/object-write.ts';

/** Converts a prepared object to a write; an unchanged one has a payload only if it differs. */
export function preparedWrite(
  { unchanged, payloadChanged, id, payload, metadata, originalId, uri, hash, parts }: PreparedObject,
  { version, accepted }: Pick<ObjectWrite, 'version' | 'accepted'>,
): ObjectWrite {
  const common = { id, version, accepted, metadata, originalId, uri, hash };
  if (unchanged) return { ...common, kind: 'unchanged', payload: payloadChanged ? payload : null };
  return { ...common, kind: 'content', payload, parts };
}
