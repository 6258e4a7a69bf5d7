import { Checkbox, Text } from '@mantine/core';
import { useState } from 'react';
import type { IndexInfo } from '../../contract/indexes.ts';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { plural } from '../ui/format.ts';
import { useOpenTask } from '../ui/open-task.ts';
import { Problem } from '../ui/states.tsx';
import { TypeToConfirm } from '../ui/type-to-confirm.tsx';

/** Deletes an index after its name has been typed, because a deletion cannot be undone. */
export function DeleteIndex({ index, onClose }: { index: IndexInfo; onClose: () => void }) {
  const openTask = useOpenTask();
  const [force, setForce] = useState(false);
  const remove = useAct(() => reembed.indexes.delete(index.name, { force }), {
    quiet: true,
    changes: [['indexes'], ['aliases']],
    onDone: (task) => {
      onClose();
      openTask(task);
    },
  });
  const aliased = index.aliases.length > 0;
  return (
    <TypeToConfirm
      title={`Delete ${index.name}?`}
      name={index.name}
      confirm="Delete the index"
      keep="Keep it"
      loading={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
      ready={!aliased || force}
    >
      <Text fz="sm">
        {index.estimated ? 'About ' : ''}
        {plural(index.objects, 'object')} and all vectors are deleted. This cannot be undone.
      </Text>
      {aliased && (
        <Checkbox
          label={`Also remove its aliases: ${index.aliases.join(', ')}`}
          checked={force}
          onChange={(event) => setForce(event.currentTarget.checked)}
        />
      )}
      {remove.error && <Problem error={remove.error} title="The index was not deleted" />}
    </TypeToConfirm>
  );
}
