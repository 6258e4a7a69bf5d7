import { NativeSelect, SimpleGrid, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { querySetsQuery } from '../api/queries.ts';
import type { OptionsDraft, ReindexOptionsProps } from './reindex-options.tsx';

const APPROVE: { value: OptionsDraft['approve']; label: string }[] = [
  { value: 'auto', label: 'happens by itself at the end' },
  { value: 'manual', label: 'waits for an approval' },
  { value: 'verdictAndPerson', label: 'waits for an approval, after a query set ran' },
  { value: 'verdict', label: 'is decided by a query set' },
];

const RETIRE: { value: OptionsDraft['retire']; label: string }[] = [
  { value: 'never', label: 'is kept' },
  { value: 'now', label: 'is deleted after the switch' },
  { value: 'after', label: 'is deleted later' },
  { value: 'keepCurrent', label: 'is kept current for a roll back, and deleted later' },
];

/** Who decides about the switch, and what happens to the old index after it. */
export function SwitchOptions({ options, onChange, errorOf }: ReindexOptionsProps) {
  const { data: sets = [] } = useQuery(querySetsQuery);
  const set = (change: Partial<OptionsDraft>) => onChange({ ...options, ...change });
  const isByQuerySet = options.approve === 'verdict' || options.approve === 'verdictAndPerson';
  const isLater = options.retire === 'after' || options.retire === 'keepCurrent';
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
      <NativeSelect
        size="xs"
        label="The switch"
        data={APPROVE.filter(({ value }) => sets.length > 0 || value === 'auto' || value === 'manual')}
        value={options.approve}
        onChange={(event) => {
          const approve = event.currentTarget.value as OptionsDraft['approve'];
          set({ approve, querySet: options.querySet || (sets[0]?.name ?? '') });
        }}
      />
      <NativeSelect
        size="xs"
        label="The old index"
        data={RETIRE}
        value={options.retire}
        onChange={(event) => set({ retire: event.currentTarget.value as OptionsDraft['retire'] })}
      />
      {isByQuerySet && (
        <NativeSelect
          size="xs"
          label="Query set"
          data={sets.map(({ name }) => name)}
          value={options.querySet}
          onChange={(event) => set({ querySet: event.currentTarget.value })}
          error={errorOf('approve.querySet') ?? errorOf('approve')}
        />
      )}
      {isLater && (
        <TextInput
          label="Deleted after"
          description="For instance 90m, 24h or 7d"
          value={options.after}
          onChange={(event) => set({ after: event.currentTarget.value })}
          error={errorOf('retire') ?? errorOf('retire.after')}
        />
      )}
    </SimpleGrid>
  );
}
