import { Affix, Button, Group, Paper, Text } from '@mantine/core';
import { useState } from 'react';
import type { SteerFilter, TaskFilter } from '../../client/client.ts';
import { STEER_ACTIONS, type SteerAction } from '../../contract/steer-tasks.ts';
import { STEERABLE_TYPES } from '../../contract/task-types.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { plural } from '../ui/format.ts';
import { BulkDialog } from './bulk-dialog.tsx';

interface BulkBarProps {
  selected: ReadonlySet<string>;
  filter: TaskFilter;
  /** Number of all matching tasks. */
  total: number;
  pageSelected: boolean;
  onClear: () => void;
}

const LABELS: Record<SteerAction, string> = {
  cancel: 'Cancel',
  restart: 'Restart',
  pause: 'Pause',
  resume: 'Resume',
  ignore: 'Ignore',
};

/** The actions for the selected tasks, or for all matching ones. */
export function BulkBar({ selected, filter, total, pageSelected, onClear }: BulkBarProps) {
  const [all, setAll] = useState(false);
  const [action, setAction] = useState<SteerAction | null>(null);
  if (selected.size === 0) return null;
  const everything = all && pageSelected;
  const fitting = filterOf(filter);
  return (
    <>
      <Affix position={{ bottom: 16, left: 16, right: 16 }} style={{ pointerEvents: 'none' }} zIndex={150}>
        <Group justify="center">
          <Paper
            withBorder
            shadow="lg"
            p="xs"
            component="section"
            aria-label="Selected tasks"
            style={{ pointerEvents: 'auto' }}
          >
            <Group gap="xs" justify="center">
              <Text fz="sm" fw={500} px={6} role="status">
                {everything ? `All ${plural(total, 'matching task')}` : `${plural(selected.size, 'task')} selected`}
              </Text>
              {pageSelected && total > selected.size && fitting && (
                <Button variant="subtle" onClick={() => setAll(!all)}>
                  {everything ? 'Only this page' : `Select all ${plural(total, 'task')}`}
                </Button>
              )}
              {STEER_ACTIONS.map((each) => (
                <ActionButton key={each} onClick={() => setAction(each)}>
                  {LABELS[each]}…
                </ActionButton>
              ))}
              <Button variant="subtle" color="gray" onClick={onClear}>
                Clear
              </Button>
            </Group>
          </Paper>
        </Group>
      </Affix>
      {action && (
        <BulkDialog
          action={action}
          label={LABELS[action]}
          filter={everything && fitting ? fitting : { taskIds: [...selected] }}
          onClose={(done) => {
            setAction(null);
            if (done) onClear();
          }}
        />
      )}
    </>
  );
}

/** Converts the list's filter to that of a steering task; undefined if its tasks cannot be steered in bulk. */
function filterOf({ type, status, open, hasFailedItems, index, createdAfter }: TaskFilter): SteerFilter | undefined {
  if (hasFailedItems !== undefined) return undefined;
  const types = STEERABLE_TYPES.filter((each) => type === undefined || each === type);
  if (types.length === 0) return undefined;
  return {
    types,
    statuses: status && [status],
    open,
    index,
    createdAfter: createdAfter === undefined ? undefined : new Date(createdAfter).toISOString(),
  };
}
