import { NativeSelect, SimpleGrid, Textarea, TextInput } from '@mantine/core';
import { IndexField } from '../indexes/index-field.tsx';
import { CONTENTS, type ContentKind, type SourceDraft } from './draft.ts';

interface SourceFieldsProps {
  draft: SourceDraft;
  /** A source that exists keeps its index, table, key and database. */
  isNew: boolean;
  /** The problem of a field of the definition. */
  errorAt: (field: string) => string | undefined;
  whereError: string | undefined;
  onChange: (change: Partial<SourceDraft>) => void;
}

const DESCRIPTIONS: Record<ContentKind, string> = {
  columns: 'One or more, with commas between; their texts are joined by empty lines.',
  template: 'A text with columns in braces, such as {title}: {body}',
  uri: 'The column with the address of the content.',
};

/** The fields of a source. */
export function SourceFields({ draft, isNew, errorAt, whereError, onChange }: SourceFieldsProps) {
  const text = (field: Exclude<keyof SourceDraft, 'kind'>) => ({
    value: draft[field],
    onChange: (event: { currentTarget: { value: string } }) => onChange({ [field]: event.currentTarget.value }),
    spellCheck: false,
  });
  const contentError = anyError(errorAt, draft.kind === 'uri' ? 'uriColumn' : 'text');
  return (
    <>
      {isNew && (
        <TextInput
          label="Name"
          description="Names the source."
          {...text('name')}
          error={errorAt('name')}
          data-autofocus
        />
      )}
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
        <IndexField
          description="The index or alias that follows the table."
          value={draft.index}
          onChange={(index) => onChange({ index })}
          disabled={!isNew}
          error={errorAt('index')}
        />
        <TextInput
          label="Table"
          description="A table, or a schema, a dot and a table."
          {...text('table')}
          disabled={!isNew}
          error={anyError(errorAt, 'table')}
        />
        <NativeSelect
          size="xs"
          label="Text"
          description="What the text of an object is made of."
          data={[...CONTENTS]}
          value={draft.kind}
          onChange={(event) => onChange({ kind: event.currentTarget.value as ContentKind })}
        />
        <TextInput
          label={CONTENTS.find(({ value }) => value === draft.kind)?.label}
          description={DESCRIPTIONS[draft.kind]}
          {...text('content')}
          error={contentError}
        />
        <TextInput
          label="Metadata"
          description="Columns that searches can filter by. Optional."
          {...text('metadata')}
          error={anyError(errorAt, 'metadata')}
        />
        <TextInput
          label="Key"
          description="Columns that identify a row. Default: the primary key."
          {...text('key')}
          disabled={!isNew}
          error={anyError(errorAt, 'key')}
        />
        <TextInput
          label="Poll by"
          description="A column with the time of the last change; then deletes are not seen. Default: triggers."
          {...text('updatedAt')}
          error={errorAt('updatedAt') ?? errorAt('follow')}
        />
        <TextInput
          label="Address in the variable"
          description="Environment variable with the address of the table’s database. Default: the database of reembed."
          {...text('connectionEnv')}
          disabled={!isNew}
          error={errorAt('connectionEnv')}
        />
      </SimpleGrid>
      <Textarea
        label="Only rows that match (JSON)"
        description={'A filter over columns, such as {"published": true}. Optional.'}
        rows={2}
        {...text('where')}
        error={whereError ?? anyError(errorAt, 'where')}
      />
    </>
  );
}

const MAX_COLUMNS = 100;

/** Returns the problem of a field, or of its first part that has one. */
function anyError(errorAt: SourceFieldsProps['errorAt'], field: string): string | undefined {
  const places = Array.from({ length: MAX_COLUMNS }, (_, at) => `${field}.${at}`);
  for (const path of [field, ...places, `${field}.template`, `${field}.schema`, `${field}.name`]) {
    const problem = errorAt(path);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
