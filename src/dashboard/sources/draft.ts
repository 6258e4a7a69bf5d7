import { z } from 'zod';
import {
  type SourceDefinition,
  type SourceDefinitionInput,
  type SourceInfo,
  sourceDefinitionSchema,
  sourceNameSchema,
} from '../../contract/sources.ts';
import { jsonText, readJson } from '../ui/json.ts';

/** What the text of an object is made of. */
export const CONTENTS = [
  { value: 'columns', label: 'Columns' },
  { value: 'template', label: 'Template' },
  { value: 'uri', label: 'Address in a column' },
] as const;
export type ContentKind = (typeof CONTENTS)[number]['value'];

/** The fields of the form as they are typed. */
export interface SourceDraft {
  name: string;
  index: string;
  table: string;
  kind: ContentKind;
  /** Columns, a template, or one column, according to `kind`. */
  content: string;
  metadata: string;
  key: string;
  where: string;
  /** Column with the time of the last change; empty to follow by triggers. */
  updatedAt: string;
  connectionEnv: string;
}

export const namedSourceSchema = z.object({ name: sourceNameSchema, definition: sourceDefinitionSchema });

/** Returns what is typed for a new source, or for one that is changed. */
export function draftOf(source: SourceInfo | undefined): SourceDraft {
  if (!source) {
    const empty = { name: '', index: '', table: '', content: '', metadata: '', key: '', where: '' };
    return { ...empty, kind: 'columns', updatedAt: '', connectionEnv: '' };
  }
  const { index, table, metadata, key, where, updatedAt = '', connectionEnv = '' } = source.definition;
  return {
    ...contentOf(source.definition),
    name: source.name,
    index,
    table: typeof table === 'string' ? table : jsonText(table),
    metadata: metadata.join(', '),
    key: key?.join(', ') ?? '',
    where: where === undefined ? '' : jsonText(where),
    updatedAt,
    connectionEnv,
  };
}

function contentOf({ text, uriColumn }: SourceDefinition): Pick<SourceDraft, 'kind' | 'content'> {
  if (uriColumn !== undefined) return { kind: 'uri', content: uriColumn };
  if (Array.isArray(text)) return { kind: 'columns', content: text.join(', ') };
  return { kind: 'template', content: text?.template ?? '' };
}

/** Returns the definition that was typed, which is not checked yet. */
export function definitionOf(draft: SourceDraft): {
  definition: SourceDefinitionInput;
  whereError: string | undefined;
} {
  const { index, table, kind, content, metadata, key, where, updatedAt, connectionEnv } = draft;
  const filter = readJson(where);
  // A name with a dot is given as JSON.
  const named = table.startsWith('{') ? (readJson(table).value ?? table) : table;
  const definition = {
    index,
    table: named,
    ...(kind === 'columns' && { text: listOf(content) }),
    ...(kind === 'template' && { text: { template: content } }),
    ...(kind === 'uri' && { uriColumn: content }),
    metadata: listOf(metadata),
    ...(key.trim() !== '' && { key: listOf(key) }),
    ...(filter.value !== undefined && { where: filter.value }),
    ...(updatedAt !== '' && { follow: 'poll', updatedAt }),
    ...(connectionEnv !== '' && { connectionEnv }),
  };
  return { definition: definition as SourceDefinitionInput, whereError: filter.error };
}

/** Splits what was typed at commas. */
const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
