import { Checkbox, NumberInput, SimpleGrid, TextInput } from '@mantine/core';
import { Choice } from '../ui/choice.tsx';
import { Fold } from '../ui/fold.tsx';
import type { OptionsDraft } from './options.ts';

export interface ReindexOptionsProps {
  options: OptionsDraft;
  onChange: (options: OptionsDraft) => void;
  errorOf: (path: string) => string | undefined;
}

type Count = 'ratePerSecond' | 'concurrency' | 'batchSize' | 'budgetUsd' | 'budgetTokens' | 'budgetCalls';

/** Limits of a reindex, what it may take over, and what it does about conflicts. */
export function ReindexOptions({ options, onChange, errorOf }: ReindexOptionsProps) {
  const set = (change: Partial<OptionsDraft>) => onChange({ ...options, ...change });
  const count = (name: Count, label: string, path: string = name) => (
    <NumberInput
      label={label}
      placeholder={name === 'concurrency' || name === 'batchSize' ? undefined : 'no limit'}
      thousandSeparator=","
      value={options[name]}
      onChange={(value) => set({ [name]: value })}
      error={errorOf(path)}
    />
  );
  return (
    <Fold title="Limits and conflicts">
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
        {count('budgetUsd', 'Pause after US dollars', 'budget.usd')}
        {count('budgetTokens', 'Pause after tokens', 'budget.tokens')}
        {count('budgetCalls', 'Pause after calls of the model', 'budget.calls')}
        {count('ratePerSecond', 'Max. objects per second')}
        {count('concurrency', 'Concurrent batches')}
        {count('batchSize', 'Objects per batch')}
        <TextInput
          label="Objects that may fail"
          description="A number, a percentage, or “no limit”"
          value={options.maxFailed}
          onChange={(event) => set({ maxFailed: event.currentTarget.value })}
          error={errorOf('maxFailed')}
        />
        <TextInput
          label="Task id"
          description="Empty: a generated one"
          value={options.taskId}
          onChange={(event) => set({ taskId: event.currentTarget.value })}
          error={errorOf('taskId')}
          spellCheck={false}
        />
        <Choice
          label="If another reindex conflicts"
          options={[
            { value: 'wait', label: 'wait until it ends' },
            { value: 'refuse', label: 'refuse' },
          ]}
          value={options.onConflict}
          onChange={(onConflict) => set({ onConflict })}
        />
        <Choice
          label="If the new index has its own objects"
          options={[
            { value: 'refuse', label: 'refuse' },
            { value: 'replace', label: 'replace them' },
          ]}
          value={options.destExisting}
          onChange={(destExisting) => set({ destExisting })}
        />
        <Choice
          label="HNSW index"
          options={[
            { value: 'auto', label: 'built when it is fastest' },
            { value: 'after', label: 'built after the copy' },
            { value: 'during', label: 'grows with the copy' },
            { value: 'split', label: 'built on a part, then grows' },
          ]}
          value={options.indexBuild}
          onChange={(indexBuild) => set({ indexBuild })}
        />
      </SimpleGrid>
      <Checkbox
        mt="sm"
        label="Take over stored vectors of the same model and text"
        description="Turn it off if the provider has another model behind the same name by now."
        checked={options.reuse}
        onChange={(event) => set({ reuse: event.currentTarget.checked })}
      />
      <Checkbox
        mt="sm"
        label="Embed in batches of the provider, at half the price"
        description="For openai. A batch is answered within a day."
        checked={options.batchApi}
        onChange={(event) => set({ batchApi: event.currentTarget.checked })}
        error={errorOf('batchApi')}
      />
    </Fold>
  );
}
