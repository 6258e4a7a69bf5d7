import { Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { TaskRow } from '../../client/client.ts';
import { approvalOf } from '../../contract/approval.ts';
import { reasonOf } from '../task/reason.ts';
import { Card } from '../ui/card.tsx';
import { number } from '../ui/format.ts';
import { LinkButton } from '../ui/links.tsx';
import { Moment, useNow } from '../ui/moment.tsx';
import { Status, shownStatus } from '../ui/status.tsx';
import { TaskName } from '../ui/task-name.tsx';
import { openQuery, reindexesQuery } from './queries.ts';

interface Need {
  task: TaskRow;
  /** How many tasks stand still for this reason. */
  count: number;
  title: string;
  text: string;
  nextTry: string | null;
  action: string;
}

/** Max. rows; the list of tasks shows all. */
const SHOWN = 12;

/** Returns what a task needs from a person, or why it stands still; null if neither. */
function needOf(task: TaskRow, nowMs: number): Need | null {
  if (approvalOf(task.data ?? {})?.decision === null) {
    const text = 'The new index is complete. Compare both, then approve or reject the switch.';
    return { task, count: 1, title: 'Waits for your approval', text, nextTry: null, action: 'Decide' };
  }
  const reason = reasonOf(task, false, nowMs);
  if (reason) return { task, count: 1, ...reason, action: 'Open' };
  if (task.status === 'paused') {
    return { task, count: 1, title: 'Paused', text: task.detail ?? '', nextTry: null, action: 'Open' };
  }
  return null;
}

/** Joins tasks that no worker has taken up yet: nothing is to be done about each of them. */
function grouped(needs: readonly Need[]): Need[] {
  const [first, ...more] = needs.filter(isUnclaimed);
  if (!first || more.length === 0) return [...needs];
  const count = 1 + more.length;
  const others = needs.filter((need) => !isUnclaimed(need));
  return [...others, { ...first, count, text: 'No worker has taken them up yet. Start more workers if this lasts.' }];
}

const isUnclaimed = ({ task, nextTry }: Need) => task.status === 'pending' && nextTry === null;

/** Open tasks that wait for a person, or stand still, with the reason and the place to do something about it. */
export function NeedsYou() {
  const nowMs = useNow().getTime();
  const open = useQuery(openQuery).data?.tasks ?? [];
  const reindexes = useQuery(reindexesQuery).data?.tasks ?? [];
  const tasks = [...new Map([...reindexes, ...open].map((task) => [task.id, task])).values()];
  const needs = grouped(tasks.flatMap((task) => needOf(task, nowMs) ?? []));
  if (needs.length === 0) return null;
  return (
    <Card flush title="Needs you, or stands still">
      <Table layout="fixed" aria-label="Needs you">
        <Table.Tbody>
          {needs.slice(0, SHOWN).map(({ task, count, title, text, nextTry, action }) => (
            <Table.Tr key={task.id} data-need={task.id}>
              <Table.Td className="wrap">
                <Text fz="sm" fw={600}>
                  {count > 1 ? `${number(count)} tasks wait for a worker` : title}
                </Text>
                <Text fz="xs" className="excerpt">
                  {text}
                </Text>
                <Text fz="xs" c="dimmed" component="div">
                  {count > 1 && 'the newest: '}
                  {task.type} <TaskName task={task} />
                  {nextTry !== null && (
                    <>
                      , next try <Moment at={nextTry} />
                    </>
                  )}
                </Text>
              </Table.Td>
              <Table.Td w={130} visibleFrom="sm">
                <Status status={shownStatus(task.status, task.ended)} />
              </Table.Td>
              <Table.Td w={100} ta="right">
                {count > 1 ? (
                  <LinkButton variant="default" to="/tasks" search={{ status: task.status }}>
                    Show
                  </LinkButton>
                ) : (
                  <LinkButton variant="default" to="/tasks/$taskId" params={{ taskId: task.id }}>
                    {action}
                  </LinkButton>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {needs.length > SHOWN && (
        <Stack px="md" py="xs">
          <Text fz="xs" c="dimmed">
            and {needs.length - SHOWN} more
          </Text>
        </Stack>
      )}
    </Card>
  );
}
