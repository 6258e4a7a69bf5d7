import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import type { IndexInfo } from '../../contract/indexes.ts';
import type { StoredObject } from '../../contract/objects.ts';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { ObjectId } from '../ui/object-id.tsx';
import { Problem } from '../ui/states.tsx';
import { changedBy } from './queries.ts';
import { requireWritten, writtenAs } from './written.ts';

interface DeleteObjectProps {
  index: IndexInfo;
  object: StoredObject;
  onClose: () => void;
}

/** Deletes an object after a confirmation. */
export function DeleteObject({ index, object: { id, version }, onClose }: DeleteObjectProps) {
  const remove = useAct(
    async () => {
      const deletion = index.versioning === 'external' ? { id, version: version + 1 } : id;
      requireWritten(await reembed.tasks.delete({ index: writtenAs(index), ids: [deletion] }, { wait: true }));
    },
    { quiet: true, done: () => 'The object is deleted', changes: changedBy(index.name, id), onDone: onClose },
  );
  return (
    <Modal opened onClose={onClose} title="Delete this object?">
      <Stack gap="sm">
        <ObjectId id={id} />
        <Text fz="sm">
          It is deleted from {index.name}, with its vectors and all objects that are derived from it. This cannot be
          undone; the history remains until the deletion is forgotten.
        </Text>
        {remove.error && <Problem error={remove.error} title="The object is not deleted yet" />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Keep it
          </Button>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
            Delete the object
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
