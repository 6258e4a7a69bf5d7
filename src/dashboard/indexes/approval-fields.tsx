import { NumberInput, TextInput } from '@mantine/core';
import { Choice } from '../ui/choice.tsx';
import type { OptionsDraft } from './options.ts';
import type { ReindexOptionsProps } from './reindex-options.tsx';

interface ApprovalFieldsProps extends ReindexOptionsProps {
  sets: readonly { name: string }[];
  /** Whether live searches can be tried meanwhile: those of the alias. */
  hasReads: boolean;
}

/** What a reindex does while it waits for an approval, and if it gets none. */
export function ApprovalFields({ options, onChange, errorOf, sets, hasReads }: ApprovalFieldsProps) {
  const set = (change: Partial<OptionsDraft>) => onChange({ ...options, ...change });
  const share = (name: 'shadow' | 'canary', label: string, description: string) => (
    <NumberInput
      label={label}
      description={description}
      suffix=" %"
      value={options[name]}
      onChange={(value) => set({ [name]: value })}
      error={errorOf(name)}
    />
  );
  return (
    <>
      {options.approve !== 'manual' && (
        <Choice
          label="Query set"
          options={sets.map(({ name }) => ({ value: name, label: name }))}
          value={options.querySet}
          onChange={(querySet) => set({ querySet })}
          error={errorOf('approve.querySet') ?? errorOf('approve')}
        />
      )}
      <TextInput
        label="Time to decide"
        description="Such as 24h or 7d; empty: no limit"
        value={options.timeout}
        onChange={(event) => set({ timeout: event.currentTarget.value })}
        error={errorOf('approve.timeout')}
      />
      {options.timeout !== '' && (
        <Choice
          label="If nobody decides in time"
          options={[
            { value: 'reject', label: 'reject' },
            { value: 'approve', label: 'approve' },
          ]}
          value={options.onTimeout}
          onChange={(onTimeout) => set({ onTimeout })}
        />
      )}
      <Choice
        label="After a rejection, the new index"
        options={[
          { value: 'keep', label: 'is kept' },
          { value: 'delete', label: 'is deleted' },
        ]}
        value={options.onReject}
        onChange={(onReject) => set({ onReject })}
      />
      {hasReads && share('shadow', 'Shadow', 'Live searches that also run on it, unseen')}
      {hasReads && share('canary', 'Canary', 'Live searches that it answers')}
    </>
  );
}
