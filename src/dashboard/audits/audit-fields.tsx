import { Checkbox, NumberInput, SimpleGrid, TextInput } from '@mantine/core';
import type { AuditRequest } from '../../contract/audit.ts';
import { IndexField } from '../indexes/index-field.tsx';
import { SourceField } from '../sources/source-field.tsx';
import { Choice } from '../ui/choice.tsx';

/** The draft of an audit; empty fields use the defaults. */
export interface AuditDraft {
  of: 'index' | 'source';
  index: string;
  source: string;
  after: string;
  until: string;
  ratePerSecond: number | string;
  repair: boolean;
}

/** Returns the draft of an audit, which may be one that a schedule starts. */
export function auditDraft(given: Partial<AuditRequest> = {}): AuditDraft {
  const { index = '', source = '', after = '', until = '', ratePerSecond = '', repair = false } = given;
  return { of: source === '' ? 'index' : 'source', index, source, after, until, ratePerSecond, repair };
}

/** Converts a draft to the body that is sent. */
export function auditOf({ of, index, source, after, until, ratePerSecond, repair }: AuditDraft): AuditRequest {
  const range = { ...(after !== '' && { after }), ...(until !== '' && { until }) };
  const rate = ratePerSecond === '' ? {} : { ratePerSecond: Number(ratePerSecond) };
  return of === 'source' ? { source, repair, ...rate } : { index, repair, ...range, ...rate };
}

interface AuditFieldsProps {
  draft: AuditDraft;
  onChange: (draft: AuditDraft) => void;
  errorOf: (path: string) => string | undefined;
}

/** What an audit looks at, and whether it repairs what it finds. */
export function AuditFields({ draft, onChange, errorOf }: AuditFieldsProps) {
  const set = (change: Partial<AuditDraft>) => onChange({ ...draft, ...change });
  const isSource = draft.of === 'source';
  return (
    <>
      <Choice
        label="Look at"
        options={[
          { value: 'index', label: 'an index: what is broken inside it' },
          { value: 'source', label: 'a source: where its table and its index differ' },
        ]}
        value={draft.of}
        onChange={(of) => set({ of })}
      />
      {isSource ? (
        <SourceField value={draft.source} onChange={(source) => set({ source })} error={errorOf('source')} />
      ) : (
        <IndexField
          description="An alias is resolved when the audit begins."
          value={draft.index}
          onChange={(index) => set({ index })}
          error={errorOf('index')}
        />
      )}
      <Checkbox
        label="Repair what is found"
        description={
          isSource
            ? 'Syncs the rows that differ, and deletes objects without a row. Calls the model.'
            : 'Embeds broken objects again, and deletes parts without an object. Calls the model.'
        }
        checked={draft.repair}
        onChange={(event) => set({ repair: event.currentTarget.checked })}
      />
      {!isSource && <RangeFields draft={draft} onChange={onChange} errorOf={errorOf} />}
      <NumberInput
        label="Objects per second"
        description="Optional; an audit yields to live work in any case."
        min={0.001}
        max={1_000_000}
        value={draft.ratePerSecond}
        onChange={(ratePerSecond) => set({ ratePerSecond })}
        error={errorOf('ratePerSecond')}
      />
    </>
  );
}

function RangeFields({ draft, onChange, errorOf }: AuditFieldsProps) {
  const id = (field: 'after' | 'until', label: string) => (
    <TextInput
      label={label}
      description="Optional."
      value={draft[field]}
      onChange={(event) => onChange({ ...draft, [field]: event.currentTarget.value })}
      error={errorOf(field)}
      spellCheck={false}
      dir="auto"
    />
  );
  return (
    <SimpleGrid cols={2} spacing="sm">
      {id('after', 'After the id')}
      {id('until', 'Up to the id')}
    </SimpleGrid>
  );
}
