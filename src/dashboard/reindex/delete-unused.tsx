import { Text } from '@mantine/core';
import { useState } from 'react';
import type { IndexInfo } from '../../contract/indexes.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { plural } from '../ui/format.ts';
import { Problem } from '../ui/states.tsx';
import { isOpen } from '../ui/status.tsx';
import { TypeToConfirm } from '../ui/type-to-confirm.tsx';

interface DeleteUnusedProps {
  tracker: Tracker;
  index: IndexInfo;
  /** The task that keeps an index current, or deletes it later. */
  retire: Tracker | undefined;
  onClose: () => void;
}

/** Deletes the index of a release that does not serve, after its name has been typed. */
export function DeleteUnused({ tracker, index: shown, retire, onClose }: DeleteUnusedProps) {
  // What is confirmed is what was shown when the dialog opened.
  const [index] = useState(shown);
  const { name, objects, estimated } = index;
  const remove = useAct(() => deleteIndex(name, retire), {
    quiet: true,
    done: () => `${name} is being deleted`,
    changes: [['indexes'], ['aliases'], ['retire'], ['roll-back', tracker.id], ['children', tracker.id]],
    onDone: onClose,
  });
  return (
    <TypeToConfirm
      title={`Delete ${name}?`}
      name={name}
      confirm="Delete the index"
      keep="Keep it"
      loading={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <Text fz="sm">
        {estimated ? 'About ' : ''}
        {plural(objects, 'object')} and all vectors of {name} are deleted immediately. After that, a roll back is no
        longer possible. This cannot be undone.
      </Text>
      {remove.error && <Problem error={remove.error} title="The index was not deleted" />}
    </TypeToConfirm>
  );
}

/** Deletes by the task that waits to do it; or ends the one that keeps this index current, and deletes it. */
async function deleteIndex(name: string, retire: Tracker | undefined): Promise<Tracker> {
  if (retire && isOpen(retire.status)) {
    if (retire.data.index === name) return reembed.tasks.restart(retire.id);
    await reembed.tasks.cancel(retire.id, `${name} is being deleted`);
  }
  return reembed.indexes.delete(name);
}
