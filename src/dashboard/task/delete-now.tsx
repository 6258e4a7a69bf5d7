import { Text } from '@mantine/core';
import type { Tracker } from '../../contract/tasks.ts';
import { reembed } from '../api/client.ts';
import { TypeToConfirm } from '../ui/type-to-confirm.tsx';
import { useTaskAct } from './steer.ts';

interface DeleteNowProps {
  tracker: Tracker;
  /** Whether the task is exhausted or ignored. */
  force: boolean;
  onClose: () => void;
}

/** Runs a waiting or ended deletion of an index. Asks for the same confirmation as a new deletion. */
export function DeleteNow({ tracker: { id, data }, force, onClose }: DeleteNowProps) {
  const index = typeof data.index === 'string' ? data.index : null;
  const restart = useTaskAct(id, () => reembed.tasks.restart(id, { force }), 'The index is being deleted');
  return (
    <TypeToConfirm
      title={index === null ? 'Delete the index now?' : `Delete ${index} now?`}
      name={index ?? id}
      confirm="Delete the index now"
      keep="Cancel"
      loading={restart.isPending}
      onConfirm={() => restart.mutate(undefined, { onSettled: onClose })}
      onClose={onClose}
    >
      <Text fz="sm">
        The index is deleted immediately, with all its objects and vectors. It may be the one that you would roll back
        to. This cannot be undone.
      </Text>
    </TypeToConfirm>
  );
}
