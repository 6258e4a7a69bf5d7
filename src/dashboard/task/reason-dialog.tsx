import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { reembed } from '../api/client.ts';
import { useTaskAct } from './steer.ts';

interface ReasonDialogProps {
  id: string;
  /** `keep` cancels the deletion of an index. */
  verb: 'cancel' | 'ignore' | 'keep';
  onClose: () => void;
}

const TEXTS = {
  keep: {
    title: 'Keep the index?',
    text: 'The deletion is canceled: the index stays as it is. If it is kept current, that ends.',
    confirm: 'Keep the index',
    done: 'The index is kept',
  },
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
  const stop = useTaskAct(id, () => reembed.tasks[verb === 'keep' ? 'cancel' : verb](id, reason || undefined), done);
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
              {verb === 'keep' ? 'Close' : 'Keep it going'}
            </Button>
            <Button type="submit" color={verb === 'keep' ? undefined : 'red'} loading={stop.isPending}>
              {confirm}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
