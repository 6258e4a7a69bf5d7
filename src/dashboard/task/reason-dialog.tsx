import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { reembed } from '../api/client.ts';
import { useTaskAct } from './steer.ts';

interface ReasonDialogProps {
  id: string;
  verb: 'cancel' | 'ignore';
  onClose: () => void;
}

const TEXTS = {
  cancel: {
    title: 'Cancel this task?',
    text: 'It stops, and its locks are released. What it has written stays; a reindex that is canceled leaves the index that serves as it is.',
    confirm: 'Cancel the task',
    done: 'The task is canceled',
  },
  ignore: {
    title: 'Ignore this task?',
    text: 'It stops and is set aside: it does not run again unless it is restarted all the same.',
    confirm: 'Ignore the task',
    done: 'The task is ignored',
  },
};

/** Asks once more before a task is stopped, and for a reason, which is kept with it. */
export function ReasonDialog({ id, verb, onClose }: ReasonDialogProps) {
  const [reason, setReason] = useState('');
  const { title, text, confirm, done } = TEXTS[verb];
  const stop = useTaskAct(id, () => reembed.tasks[verb](id, reason || undefined), done);
  return (
    <Modal opened onClose={onClose} title={title}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          stop.mutate(undefined, { onSettled: onClose });
        }}
      >
        <Stack gap="sm">
          <Text fz="sm">{text}</Text>
          <TextInput
            label="Reason"
            description="Kept with the task. Not needed."
            value={reason}
            maxLength={1_000}
            onChange={(event) => setReason(event.currentTarget.value)}
            data-autofocus
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Keep it going
            </Button>
            <Button type="submit" color="red" loading={stop.isPending}>
              {confirm}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
