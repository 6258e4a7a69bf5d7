import { Button, Checkbox, Group, Modal, NumberInput, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { Tracker } from '../../contract/tasks.ts';
import { reembed } from '../api/client.ts';
import { rate } from '../ui/format.ts';
import { useTaskAct } from './steer.ts';

interface ThrottleDialogProps {
  tracker: Tracker;
  onClose: () => void;
}

/** Sets the rate of a running reindex. */
export function ThrottleDialog({ tracker: { id, data, progress }, onClose }: ThrottleDialogProps) {
  const now = typeof data.ratePerSecond === 'number' ? data.ratePerSecond : null;
  const [perSecond, setPerSecond] = useState<number | string>(now ?? '');
  const [unlimited, setUnlimited] = useState(false);
  const throttle = useTaskAct<number | null>(id, (limit) => reembed.tasks.throttle(id, limit), 'The rate is set');
  const set = (limit: number | null) => throttle.mutate(limit, { onSettled: onClose });
  return (
    <Modal opened onClose={onClose} title="Throttle the copying">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (unlimited) set(null);
          else if (typeof perSecond === 'number' && perSecond > 0) set(perSecond);
        }}
      >
        <Stack gap="sm">
          <Text fz="sm">
            {now === null ? 'No limit is set' : `The limit is ${rate(now)}`}; it copies {rate(progress.perSecond)}.
          </Text>
          <NumberInput
            label="Objects per second"
            description="Max. objects that are embedded and copied. Takes effect immediately."
            min={0.001}
            max={1_000_000}
            thousandSeparator=","
            value={perSecond}
            disabled={unlimited}
            onChange={setPerSecond}
            data-autofocus
          />
          <Checkbox
            label="No limit"
            checked={unlimited}
            onChange={(event) => setUnlimited(event.currentTarget.checked)}
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={throttle.isPending} disabled={!unlimited && !(Number(perSecond) > 0)}>
              {unlimited ? 'Remove the limit' : 'Set the rate'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
