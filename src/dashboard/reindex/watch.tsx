import { Stack, Table, Text } from '@mantine/core';
import { latencyText } from '../../contract/evaluation-texts.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { type WatchVerdict, watchOf } from '../../contract/watch.ts';
import { Card } from '../ui/card.tsx';
import { number, share } from '../ui/format.ts';
import { Moment } from '../ui/moment.tsx';
import { isOpen } from '../ui/status.tsx';

const VERDICTS: Record<WatchVerdict, string> = {
  'too-few-searches': 'Too few searches to decide.',
  watching: 'No bound is exceeded.',
  exceeded: 'A bound is exceeded: it is being rolled back.',
  'rolled-back': 'Rolled back by itself.',
  passed: 'Passed: the time is over, and no bound was exceeded.',
  ended: 'Ended by someone.',
};

const shareText = (value: number | null) => (value === null ? '' : share(value));

/** The watch after the switch, of the task that keeps the old index current; nothing without one. */
export function Watch({ tracker: { data, status } }: { tracker: Tracker }) {
  const watch = watchOf(data);
  if (!watch) return null;
  const { untilTime, rollBackIf, baseline, verdict, why, problem } = watch;
  const { emptyShare, errorShare, latencyP95Ratio, minSearches } = rollBackIf;
  const rows: [name: string, before: string, now: string, bound: string][] = [
    ['Searches', number(baseline.searches), number(watch.searches), `at least ${number(minSearches)}`],
    [
      'Empty answers',
      shareText(baseline.emptyShare),
      shareText(watch.emptyShare),
      emptyShare === undefined ? 'none' : share(emptyShare),
    ],
    [
      'Failed',
      shareText(baseline.errorShare),
      shareText(watch.errorShare),
      errorShare === undefined ? 'none' : share(errorShare),
    ],
    [
      '95th percentile',
      latencyText(baseline.latencyP95Ms),
      latencyText(watch.latencyP95Ms),
      latencyP95Ratio === undefined ? 'none' : `${latencyP95Ratio} times`,
    ],
  ];
  return (
    <Card title="Watch after the switch">
      <Stack gap="sm">
        <Text fz="sm" className="wrap" role="status">
          {VERDICTS[verdict] ?? verdict} {why}{' '}
          {isOpen(status) && (
            <>
              It ends <Moment at={untilTime} />.
            </>
          )}
        </Text>
        {problem && (
          <Text fz="sm" c="var(--mantine-color-error)" className="wrap">
            {problem}
          </Text>
        )}
        <Table layout="fixed" aria-label="Watch" horizontalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th w="30%">Searches of the alias</Table.Th>
              <Table.Th ta="right">Before</Table.Th>
              <Table.Th ta="right">Now</Table.Th>
              <Table.Th ta="right">Rolls back above</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map(([name, before, now, bound]) => (
              <Table.Tr key={name}>
                <Table.Th scope="row" fz="sm">
                  {name}
                </Table.Th>
                <Table.Td ta="right">{before}</Table.Td>
                <Table.Td ta="right">{now}</Table.Td>
                <Table.Td ta="right">{bound}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Stack>
    </Card>
  );
}
