import { fieldIssues } from '../../contract/issues.ts';
import { type Item, itemSchema } from '../../contract/objects.ts';
import { fillTemplate, joinTexts, objectIdOf } from '../../contract/source-text.ts';
import type { SourceDefinition } from '../../contract/sources.ts';
import type { FailedItem } from '../../contract/tasks.ts';
import type { ReadTable, TableRow } from '../../store/sources/table-rows.ts';

/** What a row is in the index. `nothing`: it is not wanted, or has nothing to embed. */
export type MadeOfRow =
  | { kind: 'item'; item: Item }
  | { kind: 'nothing'; id: string }
  | { kind: 'failed'; failed: FailedItem };

/** Makes the item of a row, or says why there is none. */
export function itemOfRow(definition: SourceDefinition, table: ReadTable, row: TableRow): MadeOfRow {
  const id = objectIdOf(row.key);
  if (!row.wanted) return { kind: 'nothing', id };
  if (row.texts === null) return failed(id, 'the text is larger than 10 MB');
  if (row.metadata === null) return failed(id, 'the metadata is larger than 64 KB');
  const content = contentOf(definition, table, row.texts, row.uri);
  if (!content) return { kind: 'nothing', id };
  const item = { id, ...content, metadata: row.metadata };
  const checked = itemSchema.safeParse(item);
  if (checked.success) return { kind: 'item', item };
  const issues = fieldIssues(checked.error).map(({ path, message }) => `${path}: ${message}`);
  return failed(id, issues.join('; '));
}

function contentOf(
  { text }: SourceDefinition,
  { textColumns }: ReadTable,
  values: readonly (string | null)[],
  uri: string | null,
): { payload: string } | { uri: string } | undefined {
  if (text === undefined) return uri === null || uri === '' ? undefined : { uri };
  const texts = Object.fromEntries(textColumns.map((name, at) => [name, values[at] ?? null]));
  if (values.every((value) => value === null || value.trim() === '')) return undefined;
  return { payload: Array.isArray(text) ? joinTexts(text, texts) : fillTemplate(text.template, texts) };
}

function failed(objectId: string, detail: string): MadeOfRow {
  return { kind: 'failed', failed: { objectId, stage: 'load', reason: 'InvalidInput', detail } };
}
