import { Document, type DocumentInterface } from '@langchain/core/documents';
import type { ItemInput } from '../../client/tasks.ts';
import { invalidField } from '../../contract/errors.ts';
import type { Hit } from '../../contract/objects.ts';
import { textOf } from '../text-of.ts';

/**
 * Makes items of documents. The id of an item is the given one, that of its document, or a new random one. Error:
 * `InvalidInput` if there is not one id for each document.
 */
export function itemsOf(
  documents: readonly DocumentInterface[],
  ids?: readonly string[],
): (ItemInput & { id: string })[] {
  if (ids !== undefined && ids.length !== documents.length) {
    throw invalidField('ids', `${ids.length} ids for ${documents.length} documents; give one for each`);
  }
  return documents.map((document, at) => ({
    id: ids?.[at] ?? document.id ?? crypto.randomUUID(),
    payload: document.pageContent,
    metadata: document.metadata as NonNullable<ItemInput['metadata']>,
  }));
}

/** Makes documents of texts. `metadatas` is one for all, or one for each text. Error: `InvalidInput`. */
export function documentsOf(texts: readonly string[], metadatas: object[] | object): Document[] {
  if (Array.isArray(metadatas) && metadatas.length !== texts.length) {
    const counts = `${metadatas.length} metadatas for ${texts.length} texts`;
    throw invalidField('metadatas', `${counts}; give one for each, or one object for all`);
  }
  return texts.map((pageContent, at) => {
    const metadata: object = Array.isArray(metadatas) ? metadatas[at] : metadatas;
    return new Document({ pageContent, metadata: { ...metadata } });
  });
}

/** Makes a document of a hit. The content of a payload that is not a text is its JSON. */
export function documentOf({ id, payload, metadata = {} }: Pick<Hit, 'id' | 'payload' | 'metadata'>): Document {
  return new Document({ id, pageContent: textOf(payload), metadata });
}
