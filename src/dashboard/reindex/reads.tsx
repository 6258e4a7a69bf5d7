import { SimpleGrid, Table, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { approvalOf } from '../../contract/approval.ts';
import { latencyText } from '../../contract/evaluation-texts.ts';
import type { ReadsState } from '../../contract/read-shares.ts';
import type { ReadSide, ReadsReport } from '../../contract/reads.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { reembed } from '../api/client.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card } from '../ui/card.tsx';
import { number, percent, share } from '../ui/format.ts';
import { Moment } from '../ui/moment.tsx';
import { isOpen } from '../ui/status.tsx';
import { ReadsDialog } from './reads-dialog.tsx';
import { readsOf } from './shares.ts';

/** Live searches that also, or instead, run on the other index of a reindex: their shares, and how both indexes do. */
export function Reads({ tracker }: { tracker: Tracker }) {
  const [isChanging, dialog] = useDisclosure();
  const reads = readsOf(tracker);
  const waits = isOpen(tracker.status) && approvalOf(tracker.data)?.decision === null;
  const isMirror = tracker.type === 'delete-index';
  const { data: report } = useQuery({
    queryKey: ['reads', tracker.id],
    queryFn: () => reembed.tasks.reads(tracker.id),
    // There are no figures before the shares are in force; they are kept after the end.
    enabled: reads !== undefined && (reads.since !== null || !isOpen(tracker.status)),
    refetchInterval: isOpen(tracker.status) ? 3_000 : false,
    retry: false,
  });
  if (!reads && !waits) return null;
  const isOn = reads !== undefined && (reads.shadow > 0 || reads.canary > 0);
  const mayChange = waits || (isMirror && isOpen(tracker.status));
  return (
    <Card
      title={isMirror ? 'Live searches on the old index' : 'Live searches on the new index'}
      actions={
        mayChange && (
          <ActionButton onClick={dialog.open}>{isOn ? 'Change or end…' : 'Try it on live searches…'}</ActionButton>
        )
      }
    >
      <Text fz="sm" className="wrap" role="status">
        {sharesText(reads, mayChange)}
        {report && (
          <>
            {' '}
            Counted since <Moment at={report.since} />.
          </>
        )}
      </Text>
      {report && <Figures report={report} />}
      {isChanging && <ReadsDialog tracker={tracker} onClose={dialog.close} />}
    </Card>
  );
}

function sharesText(reads: ReadsState | undefined, isOpen: boolean): string {
  const { shadow = 0, canary = 0 } = reads ?? {};
  if (!isOpen) return 'These have ended.';
  const parts = [
    shadow > 0 ? `${share(shadow)} of the searches also run there, unseen by the callers` : null,
    canary > 0 ? `${share(canary)} of the searches are answered from there` : null,
  ].filter((part) => part !== null);
  if (parts.length === 0) return 'No live search reaches it.';
  return `${parts.join('; ')}${reads?.since ? '' : ' (not in force yet)'}.`;
}

function Figures({ report: { shadow, canary, skipped } }: { report: ReadsReport }) {
  const has = ({ serving, other }: { serving: ReadSide; other: ReadSide }) => serving.searches + other.searches > 0;
  return (
    <>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md" mt="sm">
        {(has(shadow) || shadow.share > 0) && (
          <Sides title="Shadow" serving={shadow.serving} other={shadow.other} overlap={shadow.overlap} />
        )}
        {(has(canary) || canary.share > 0) && <Sides title="Canary" serving={canary.serving} other={canary.other} />}
      </SimpleGrid>
      {(shadow.dropped > 0 || skipped > 0) && (
        <Text fz="xs" c="dimmed" mt="xs">
          Left out: {number(shadow.dropped)} because too many were waiting, {number(skipped)} searches by a vector.
        </Text>
      )}
    </>
  );
}

interface SidesProps {
  title: string;
  serving: ReadSide;
  other: ReadSide;
  overlap?: number | null;
}

/** What callers got, and what the other index does. */
function Sides({ title, serving, other, overlap }: SidesProps) {
  const rows: [name: string, of: (side: ReadSide) => string][] = [
    ['Searches', ({ searches }) => number(searches)],
    ['Failed', ({ failed, searches }) => counted(failed, searches)],
    ['Empty answers', ({ empty, searches }) => counted(empty, searches)],
    ['Median latency', ({ p50Ms }) => latencyText(p50Ms)],
    ['95th percentile', ({ p95Ms }) => latencyText(p95Ms)],
  ];
  return (
    <div style={{ minWidth: 0 }}>
      <Table layout="fixed" aria-label={title} horizontalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w="36%">{title}</Table.Th>
            <Table.Th ta="right" className="wrap">
              {serving.index}
            </Table.Th>
            <Table.Th ta="right" className="wrap">
              {other.index}
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(([name, of]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" fz="sm">
                {name}
              </Table.Th>
              <Table.Td ta="right">{of(serving)}</Table.Td>
              <Table.Td ta="right">{of(other)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {overlap !== undefined && (
        <Text fz="sm" mt={4} px="xs">
          {overlap === null ? 'No search has run on both yet.' : `Both return the same ${share(overlap)} of the hits.`}
        </Text>
      )}
    </div>
  );
}

function counted(some: number, all: number): string {
  return some === 0 ? '0' : `${number(some)} (${Math.round(percent(some, all))}%)`;
}
