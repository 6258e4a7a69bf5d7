import { Checkbox, NumberInput, SimpleGrid, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { querySetsQuery } from '../api/queries.ts';
import { Choice, type Option } from '../ui/choice.tsx';
import { ApprovalFields } from './approval-fields.tsx';
import { mayWatch, type OptionsDraft } from './options.ts';
import type { ReindexOptionsProps } from './reindex-options.tsx';

interface SwitchOptionsProps extends ReindexOptionsProps {
  /** The alias that is switched, if the source is one. */
  alias: string | undefined;
}

const RETIRE: Option<OptionsDraft['retire']>[] = [
  { value: 'never', label: 'is kept' },
  { value: 'now', label: 'is deleted after the switch' },
  { value: 'after', label: 'is deleted later' },
  { value: 'keepCurrent', label: 'is kept current for a roll back, and deleted later' },
];

/** Who decides about the switch, what happens to the old index after it, and when it comes back by itself. */
export function SwitchOptions({ alias, ...props }: SwitchOptionsProps) {
  const { options, onChange, errorOf } = props;
  const { data: sets = [] } = useQuery(querySetsQuery);
  const set = (change: Partial<OptionsDraft>) => onChange({ ...options, ...change });
  const isLater = options.retire === 'after' || options.retire === 'keepCurrent';
  const noSet = sets.length === 0;
  const orNone = noSet ? ' (there is none yet)' : '';
  const approvals: Option<OptionsDraft['approve']>[] = [
    { value: 'auto', label: 'happens by itself at the end' },
    { value: 'manual', label: 'waits for an approval' },
    { value: 'verdictAndPerson', label: `waits for an approval, after a query set ran${orNone}`, disabled: noSet },
    { value: 'verdict', label: `is decided by a query set${orNone}`, disabled: noSet },
  ];
  return (
    <Stack gap="xs">
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
        <Choice
          label="The switch"
          options={approvals}
          value={options.approve}
          onChange={(approve) => set({ approve, querySet: options.querySet || (sets[0]?.name ?? '') })}
        />
        <Choice label="The old index" options={RETIRE} value={options.retire} onChange={(retire) => set({ retire })} />
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
      {options.approve !== 'auto' && (
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" className="nested" role="group" aria-label="The approval">
          <ApprovalFields {...props} sets={sets} hasReads={alias !== undefined} />
        </SimpleGrid>
      )}
      {mayWatch(options, alias !== undefined) && <WatchFields {...props} />}
    </Stack>
  );
}

/** When the searches of the new index count as worse, so that the old one serves again. */
function WatchFields({ options, onChange, errorOf }: ReindexOptionsProps) {
  const set = (change: Partial<OptionsDraft>) => onChange({ ...options, ...change });
  type Bound = 'emptyShare' | 'errorShare' | 'latencyP95Ratio' | 'minSearches';
  const bound = (name: Bound, label: string, unit: { suffix?: string; description?: string } = {}) => (
    <NumberInput
      label={label}
      {...unit}
      placeholder="no bound"
      thousandSeparator=","
      value={options[name]}
      onChange={(value) => set({ [name]: value })}
      error={errorOf(`watch.rollBackIf.${name}`)}
    />
  );
  return (
    <>
      <Checkbox
        label="Watch the searches after the switch, and roll back by itself if they get worse"
        checked={options.watches}
        onChange={(event) => set({ watches: event.currentTarget.checked })}
      />
      {options.watches && (
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" className="nested" role="group" aria-label="The watch">
          <TextInput
            label="Watched for"
            description="At most as long as the old index is kept current"
            value={options.watchFor}
            onChange={(event) => set({ watchFor: event.currentTarget.value })}
            error={errorOf('watch.for') ?? errorOf('watch') ?? errorOf('watch.rollBackIf')}
          />
          {bound('minSearches', 'Decides after', { suffix: ' searches', description: 'Fewer decide nothing' })}
          {bound('emptyShare', 'Rolls back above empty answers', { suffix: ' %' })}
          {bound('errorShare', 'Rolls back above failed searches', { suffix: ' %' })}
          {bound('latencyP95Ratio', 'Rolls back above latency', {
            suffix: ' times',
            description: '95th percentile, compared with the old index',
          })}
        </SimpleGrid>
      )}
    </>
  );
}
