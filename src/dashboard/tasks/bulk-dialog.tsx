import { Button, Checkbox, Group, Modal, ScrollArea, Stack, Table, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import type { SteerFilter, SteerRequest, SteerResult } from '../../client/client.ts';
import type { SteerAction } from '../../contract/steer-tasks.ts';
import { STEERABLE_TYPES } from '../../contract/task-types.ts';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { plural } from '../ui/format.ts';
import { TaskLink } from '../ui/links.tsx';
import { Loading, Problem } from '../ui/states.tsx';

interface BulkDialogProps {
  action: SteerAction;
  label: string;
  filter: SteerFilter;
  /** Whether a restart includes exhausted and ignored tasks from the start. */
  force?: boolean;
  onClose: (done: boolean) => void;
}

/** Max. rows that are shown; the counts include all. */
const SHOWN = 200;

/** Steers all tasks by a steering task, and reads the outcome of each. */
async function steer(request: SteerRequest): Promise<SteerResult[]> {
  const { id, status, detail } = await reembed.tasks.steerAll(request, { wait: true });
  const results: SteerResult[] = [];
  for await (const result of reembed.tasks.steerResults(id)) results.push(result);
  if (status !== 'done') {
    const done = results.filter(({ outcome }) => outcome !== null && !outcome.startsWith('would-')).length;
    throw new Error(`The task ${id} is ${status}, ${done} of ${results.length} tasks were steered: ${detail}`);
  }
  return results;
}

/** Without deletions of indexes, which are confirmed individually on the pages of their tasks. */
const RESTARTABLE = STEERABLE_TYPES.filter((type) => type !== 'delete-index');

/** Restricts the filter to tasks created before the preview. */
function bounded(action: SteerAction, filter: SteerFilter, until: string): SteerFilter {
  const types =
    action === 'restart' ? (filter.types ?? RESTARTABLE).filter((type) => type !== 'delete-index') : filter.types;
  return { ...filter, ...(types && { types }), ...(!filter.taskIds && { createdBefore: until }) };
}

/** Previews an action on each task, runs it after confirmation, and shows the outcomes. */
export function BulkDialog({ action, label, filter, force: forced = false, onClose }: BulkDialogProps) {
  const [force, setForce] = useState(forced);
  const [reason, setReason] = useState('');
  const attempt = useId();
  const [until] = useState(() => new Date().toISOString());
  const bound = bounded(action, filter, until);
  const onlyDeletions = bound.types?.length === 0;
  const request: SteerRequest = { action, filter: bound, ...(action === 'restart' && force && { force }) };
  const preview = useQuery({
    queryKey: ['preview', attempt, request],
    queryFn: () => steer({ ...request, dryRun: true }),
    enabled: !onlyDeletions,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const run = useAct(() => steer({ ...request, ...(reason && { reason }) }), {
    quiet: true,
    changes: [['counts'], ['task'], ['overview']],
  });
  const results = run.data ?? preview.data;
  const would = preview.data?.filter(({ outcome }) => outcome?.startsWith('would-')).length ?? 0;
  return (
    <Modal opened onClose={() => onClose(run.isSuccess)} title={`${label} tasks`} size="lg">
      <Stack gap="sm">
        {action === 'restart' && (
          <Text fz="sm">Deletions of indexes are skipped: confirm each on the page of its task.</Text>
        )}
        {!run.isSuccess && action === 'restart' && (
          <Checkbox
            label="Also exhausted or ignored tasks"
            checked={force}
            onChange={(event) => setForce(event.currentTarget.checked)}
          />
        )}
        {!run.isSuccess && (action === 'cancel' || action === 'ignore') && (
          <TextInput
            label="Reason"
            description="Stored with each task."
            value={reason}
            maxLength={1_000}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
        )}
        {(preview.error || run.error) && <Problem error={run.error ?? preview.error} />}
        {preview.isLoading && <Loading rows={4} />}
        {results && <Outcomes results={results} before={!run.isSuccess} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => onClose(run.isSuccess)}>
            Close
          </Button>
          {!run.isSuccess && (
            <Button
              color={action === 'cancel' ? 'red' : undefined}
              loading={run.isPending}
              disabled={would === 0}
              onClick={() => run.mutate()}
            >
              {label} {plural(would, 'task')}
            </Button>
          )}
        </Group>
      </Stack>
    </Modal>
  );
}

function Outcomes({ results, before }: { results: readonly SteerResult[]; before: boolean }) {
  const counts = new Map<string, number>();
  for (const { outcome } of results) counts.set(outcome ?? 'waits', (counts.get(outcome ?? 'waits') ?? 0) + 1);
  const words = [...counts].map(([outcome, count]) => `${plural(count, 'task')}: ${outcome.replace('-', ' ')}`);
  return (
    <>
      <Text fz="sm" fw={500} role="status">
        {before ? 'Nothing has been done yet. ' : ''}
        {words.join(' · ') || 'No tasks match any more.'}
      </Text>
      <ScrollArea.Autosize mah={320} viewportProps={{ tabIndex: 0, 'aria-label': 'Outcomes', role: 'region' }}>
        <Table fz="xs" verticalSpacing={4} layout="fixed">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Task</Table.Th>
              <Table.Th w={90}>Status</Table.Th>
              <Table.Th w={110}>{before ? 'Result' : 'Outcome'}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {results.slice(0, SHOWN).map(({ taskId, status, outcome, detail }) => (
              <Table.Tr key={taskId}>
                <Table.Td>
                  <TaskLink id={taskId} />
                  {detail && (
                    <Text fz="xs" c="dimmed" className="wrap">
                      {detail}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>{status ?? '–'}</Table.Td>
                <Table.Td>{outcome?.replace('would-', 'would ') ?? 'waits'}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </ScrollArea.Autosize>
      {results.length > SHOWN && <Text fz="xs">and {plural(results.length - SHOWN, 'more', 'more')}</Text>}
    </>
  );
}
