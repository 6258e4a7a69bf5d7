import type { ExportedObject, ItemInput } from '../../client/client.ts';
import { importedItem } from '../../contract/import.ts';
import type { IndexInfo } from '../../contract/indexes.ts';
import { type ReadLines, readLines } from '../ui/lines.ts';

/**
 * Reads objects for an index from a text, one per line: JSON as in an NDJSON body or as in an export, or a text, whose id is
 * its line number. Vectors of an export are left out unless the index takes them; its texts are then embedded again.
 */
export function itemsOf(text: string, index: IndexInfo): ReadLines<ItemInput> {
  return readLines<ItemInput>(text, {
    ofText: (payload, number) => ({ id: `line-${number}`, payload }),
    ofJson: (value) => (isExported(value) ? ofExport(value, index) : (value as unknown as ItemInput)),
  });
}

/** Only an export says of each object whether it had failed. */
function isExported(value: object): value is ExportedObject {
  return 'failed' in value && 'parts' in value && Array.isArray(value.parts);
}

function ofExport(object: ExportedObject, index: IndexInfo): ItemInput {
  return importedItem(index.readyVectors ? object : { ...object, parts: [] }, index) as ItemInput;
}
