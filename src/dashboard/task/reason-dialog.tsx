import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { reembed } from '../api/client.ts';
import { ReasonInput } from './reason-input.tsx';
import { useTaskAct } from './steer.ts';

interface ReasonDialogProps {
  id: string;
  /** `keep`: cancels the deletion of an index. */
  verb: 'cancel' | 'ignore' | 'keep' | 'approve' | 'reject';
  onClose: () => void;
}

const TEXTS = {
  keep: {
    title: 'Keep the index?',
    text: 'The deletion is canceled and the index is kept. If it is being kept current, that ends.',
    confirm: 'Keep the index',
    done: 'The index is kept',
  },
  cancel: {
    title: 'Cancel this task?',
    text: 'It stops, and its locks are released. What it has written is kept; canceling a reindex does not change the index that serves.',
    confirm: 'Cancel the task',
    done: 'The task is canceled',
  },
  approve: {
    title: 'Switch to the new index?',
    text: 'Searches and writes use the new index from then on.',
    confirm: 'Approve the switch',
    done: 'The switch is approved',
  },
  reject: {
    title: 'Reject the new index?',
    text: 'The reindex ends, and the index that serves now continues to serve.',
    confirm: 'Reject the switch',
    done: 'The switch is rejected',
  },
  ignore: {
    title: 'Ignore this task?',
    text: 'It stops and does not run again unless a restart is forced.',
    confirm: 'Ignore the task',
    done: 'The task is ignored',
  },
};

/** Asks for confirmation before a task is stopped, and for a reason, which is stored with it. */
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
          <ReasonInput value={reason} onChange={setReason} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {verb === 'cancel' || verb === 'ignore' ? 'Keep it running' : 'Close'}
            </Button>
            <Button
              type="submit"
              color={verb === 'keep' || verb === 'approve' ? undefined : 'red'}
              loading={stop.isPending}
            >
              {confirm}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
