import { Button, Group, Table, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { factsOf } from '../../contract/task-types.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { reembed } from '../api/client.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card } from '../ui/card.tsx';
import { number } from '../ui/format.ts';
import { ObjectId, ObjectLink } from '../ui/object-id.tsx';
import { ShowMore } from '../ui/show-more.tsx';
import { Problem } from '../ui/states.tsx';
import { useTaskAct } from './steer.ts';

/** Failed items that are shown at first: what follows them on the page must stay within reach. */
const FIRST = 10;

/** The items that a task could not write, with the reasons, and a button to retry them. */
export function FailedItems({ tracker }: { tracker: Tracker }) {
  const { id, type, updateTime, progress } = tracker;
  const index = indexOf(tracker);
  const [isWhole, setWhole] = useState(false);
  const query = useInfiniteQuery({
    queryKey: ['failed-items', id, updateTime],
    queryFn: ({ pageParam }) => reembed.tasks.failedPage(id, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: ({ cursor }) => cursor,
    enabled: factsOf(type).hasFailedItems === true && progress.failed > 0,
    placeholderData: (before) => before,
  });
  const retry = useTaskAct(
    id,
    () => reembed.tasks.restart(id, { onlyFailed: true }),
    'The failed items are being retried',
  );
  const all = query.data?.pages.flatMap((page) => page.items) ?? [];
  const items = isWhole ? all : all.slice(0, FIRST);
  const total = query.data?.pages[0]?.total ?? 0;
  if (query.error) return <Problem error={query.error} title="The failed items cannot be read" />;
  if (items.length === 0 || progress.failed === 0) return null;
  return (
    <Card
      flush
      title={`Failed items: ${number(total)}`}
      actions={
        <ActionButton loading={retry.isPending} onClick={() => retry.mutate()}>
          Retry failed items
        </ActionButton>
      }
    >
      <Table layout="fixed" aria-label="Failed items">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w="30%">Object</Table.Th>
            <Table.Th w={80} visibleFrom="sm">
              Stage
            </Table.Th>
            <Table.Th>Reason</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map(({ objectId, stage, reason, detail }) => (
            <Table.Tr key={objectId}>
              <Table.Td>
                {typeof index === 'string' ? <ObjectLink index={index} id={objectId} /> : <ObjectId id={objectId} />}
              </Table.Td>
              <Table.Td visibleFrom="sm">{stage}</Table.Td>
              <Table.Td className="wrap">
                <Text fz="sm" fw={500}>
                  {reason}
                </Text>
                <Text fz="xs" c="dimmed">
                  {detail}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {items.length < all.length ? (
        <Group justify="center" p="sm">
          <Button variant="default" onClick={() => setWhole(true)}>
            Show {number(all.length - items.length)} more
          </Button>
        </Group>
      ) : (
        <ShowMore query={query} />
      )}
    </Card>
  );
}

/** The index whose objects a task works on, if it says so. */
function indexOf({ data, indexes = [] }: Tracker): string | undefined {
  const { index, dest } = data;
  return [index, dest, ...indexes].find((name) => typeof name === 'string') as string | undefined;
}
