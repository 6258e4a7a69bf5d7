import { NativeSelect, NumberInput, SimpleGrid, TextInput } from '@mantine/core';
import type { ReindexRequest } from '../../contract/task-bodies.ts';

/** The draft of a reindex's options; empty ones use the API's defaults. */
export interface OptionsDraft {
  taskId: string;
  ratePerSecond: number | string;
  concurrency: number | string;
  batchSize: number | string;
  maxFailed: number | string;
  budgetUsd: number | string;
  budgetTokens: number | string;
  onConflict: 'wait' | 'refuse';
  destExisting: 'refuse' | 'replace';
  approve: 'auto' | 'manual' | 'verdict' | 'verdictAndPerson';
  querySet: string;
  retire: 'never' | 'now' | 'after' | 'keepCurrent';
  after: string;
}

export const emptyOptions: OptionsDraft = {
  taskId: '',
  ratePerSecond: '',
  concurrency: '',
  batchSize: '',
  maxFailed: '',
  budgetUsd: '',
  budgetTokens: '',
  onConflict: 'wait',
  destExisting: 'refuse',
  approve: 'auto',
  querySet: '',
  retire: 'never',
  after: '24h',
};

export function optionsOf(draft: OptionsDraft): Partial<ReindexRequest> {
  const numbers = (['ratePerSecond', 'concurrency', 'batchSize', 'maxFailed'] as const).flatMap((name) =>
    draft[name] === '' ? [] : [[name, Number(draft[name])]],
  );
  const { taskId, retire, after, approve, querySet, onConflict, destExisting, budgetUsd, budgetTokens } = draft;
  const budget = {
    ...(budgetUsd !== '' && { usd: Number(budgetUsd) }),
    ...(budgetTokens !== '' && { tokens: Number(budgetTokens) }),
  };
  return {
    ...Object.fromEntries(numbers),
    ...(Object.keys(budget).length > 0 && { budget }),
    ...(taskId && { taskId }),
    onConflict,
    destExisting,
    approve: approveOf(approve, querySet),
    retire: retire === 'never' || retire === 'now' ? retire : { after, keepCurrent: retire === 'keepCurrent' },
  };
}

function approveOf(approve: OptionsDraft['approve'], querySet: string): ReindexRequest['approve'] {
  if (approve === 'auto' || approve === 'manual') return approve;
  return approve === 'verdict' ? { querySet } : { querySet, onGo: 'wait', onNoGo: 'wait' };
}

export interface ReindexOptionsProps {
  options: OptionsDraft;
  onChange: (options: OptionsDraft) => void;
  errorOf: (path: string) => string | undefined;
}

export function ReindexOptions({ options, onChange, errorOf }: ReindexOptionsProps) {
  const set = (change: Partial<OptionsDraft>) => onChange({ ...options, ...change });
  type Count = 'ratePerSecond' | 'concurrency' | 'batchSize' | 'maxFailed' | 'budgetUsd' | 'budgetTokens';
  const count = (name: Count, label: string, preset: string, path: string = name) => (
    <NumberInput
      label={label}
      placeholder={preset}
      thousandSeparator=","
      value={options[name]}
      onChange={(value) => set({ [name]: value })}
      error={errorOf(path)}
    />
  );
  return (
    <details>
      <summary style={{ cursor: 'pointer', fontSize: 'var(--mantine-font-size-sm)' }}>Options</summary>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" mt="xs">
        {count('ratePerSecond', 'Max. objects per second', 'no limit')}
        {count('maxFailed', 'Max. failed objects (below 1: a fraction)', '0.01')}
        {count('concurrency', 'Concurrent batches', '4')}
        {count('batchSize', 'Objects per batch', '256')}
        {count('budgetUsd', 'Pause after US dollars', 'no limit', 'budget.usd')}
        {count('budgetTokens', 'Pause after tokens', 'no limit', 'budget.tokens')}
        <NativeSelect
          size="xs"
          label="If another reindex conflicts"
          data={[
            { value: 'wait', label: 'wait until it ends' },
            { value: 'refuse', label: 'refuse' },
          ]}
          value={options.onConflict}
          onChange={(event) => set({ onConflict: event.currentTarget.value as OptionsDraft['onConflict'] })}
        />
        <NativeSelect
          size="xs"
          label="If the new index has its own objects"
          data={[
            { value: 'refuse', label: 'refuse' },
            { value: 'replace', label: 'replace them' },
          ]}
          value={options.destExisting}
          onChange={(event) => set({ destExisting: event.currentTarget.value as OptionsDraft['destExisting'] })}
        />
        <TextInput
          label="Task id"
          placeholder="generated"
          value={options.taskId}
          onChange={(event) => set({ taskId: event.currentTarget.value })}
          error={errorOf('taskId')}
        />
      </SimpleGrid>
    </details>
  );
}
