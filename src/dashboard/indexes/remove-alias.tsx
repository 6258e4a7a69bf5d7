import { Text } from '@mantine/core';
import type { Alias } from '../../contract/indexes.ts';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { Problem } from '../ui/states.tsx';
import { TypeToConfirm } from '../ui/type-to-confirm.tsx';
import { useUndoToast } from '../ui/undo.tsx';

const ALIASES = [['aliases'], ['indexes']];

/** Removes an alias after its name has been typed: calls of services that use it fail immediately. */
export function RemoveAlias({ alias: { alias, index }, onClose }: { alias: Alias; onClose: () => void }) {
  const toast = useUndoToast();
  const remove = useAct(() => reembed.aliases.delete(alias), {
    quiet: true,
    changes: ALIASES,
    onDone: () => {
      toast({
        message: `Alias ${alias} removed; it pointed to ${index}`,
        undo: () => reembed.aliases.set(alias, index),
        undone: `${alias} points to ${index} again`,
        changes: ALIASES,
      });
      onClose();
    },
  });
  return (
    <TypeToConfirm
      title={`Remove the alias ${alias}?`}
      name={alias}
      confirm="Remove the alias"
      keep="Keep it"
      loading={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      <Text fz="sm">
        Every search and write that uses the name {alias} will fail. The index {index} is kept.
      </Text>
      {remove.error && <Problem error={remove.error} title="The alias was not removed" />}
    </TypeToConfirm>
  );
}
