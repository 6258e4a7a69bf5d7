import { Button, Checkbox, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { IndexInfo } from '../../contract/indexes.ts';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { plural } from '../ui/format.ts';
import { Problem } from '../ui/states.tsx';

/** Asks for the name once more: what is deleted does not come back. */
export function DeleteIndex({ index, onClose }: { index: IndexInfo; onClose: () => void }) {
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const [force, setForce] = useState(false);
  const remove = useAct(() => reembed.indexes.delete(index.name, { force }), {
    quiet: true,
    changes: [['indexes'], ['aliases']],
    onDone: ({ id }) => {
      onClose();
      void navigate({ to: '/tasks/$taskId', params: { taskId: id } });
    },
  });
  const aliased = index.aliases.length > 0;
  return (
    <Modal opened onClose={onClose} title={`Delete ${index.name}?`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          remove.mutate();
        }}
      >
        <Stack gap="sm">
          <Text fz="sm">
            {index.estimated ? 'About ' : ''}
            {plural(index.objects, 'object')} and all vectors go with it. This cannot be undone.
          </Text>
          {aliased && (
            <Checkbox
              label={`Also remove what serves from it: ${index.aliases.join(', ')}`}
              checked={force}
              onChange={(event) => setForce(event.currentTarget.checked)}
            />
          )}
          <TextInput
            label={`Type ${index.name} to confirm`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            spellCheck={false}
            data-autofocus
          />
          {remove.error && <Problem error={remove.error} title="The index was not deleted" />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Keep it
            </Button>
            <Button
              type="submit"
              color="red"
              loading={remove.isPending}
              disabled={typed !== index.name || (aliased && !force)}
            >
              Delete the index
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
