import type { ExportedObject } from './export.ts';
import type { IndexInfo } from './indexes.ts';
import type { Payload } from './objects.ts';
import type { ReadyPart } from './ready-parts.ts';

/** An item of an upsert that has what was exported. */
export interface ImportedItem {
  id: string;
  payload?: Payload;
  uri?: string;
  parts?: ReadyPart[];
  metadata: ExportedObject['metadata'];
  originalId?: string;
  version?: number;
}

/** Returns the item that writes an exported object. One without parts had failed: the model gets its text again. */
export function importedItem(object: ExportedObject, { versioning }: Pick<IndexInfo, 'versioning'>): ImportedItem {
  const { id, payload, uri, metadata, originalId, version } = object;
  const parts = object.parts.map(
    ({ start, end, vector }): ReadyPart => (start === null || end === null ? { vector } : { start, end, vector }),
  );
  const hasParts = parts.length > 0;
  return {
    id,
    ...(payload !== null && { payload: payload as Payload }),
    ...(uri !== null && (hasParts || payload === null) && { uri }),
    ...(hasParts && { parts }),
    metadata,
    ...(originalId !== null && { originalId }),
    ...(versioning === 'external' && { version }),
  };
}
