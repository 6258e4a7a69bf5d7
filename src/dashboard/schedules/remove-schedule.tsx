import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';

interface RemoveScheduleProps {
  name: string;
  scheduleKey: string;
  onClose: () => void;
}

export function RemoveSchedule({ name, scheduleKey, onClose }: RemoveScheduleProps) {
  const remove = useAct(() => reembed.schedules.remove(name, scheduleKey), {
    done: () => `The schedule of ${name} is removed`,
    changes: [['schedules']],
  });
  return (
    <Modal opened onClose={onClose} title={`Remove the schedule of ${name}?`}>
      <Stack gap="sm">
        <Text fz="sm">Active runs continue. A schedule that code declares comes back when its workers start.</Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Keep it
          </Button>
          <Button
            color="red"
            loading={remove.isPending}
            onClick={() => remove.mutate(undefined, { onSettled: onClose })}
          >
            Remove it
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
