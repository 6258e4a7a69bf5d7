import { Button, Group, Modal, NumberInput, Stack } from '@mantine/core';
import { useState } from 'react';
import { reembed } from '../api/client.ts';
import { useTaskAct } from './steer.ts';

/** Sets how fast a reindex copies, while it runs. */
export function ThrottleDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const [perSecond, setPerSecond] = useState<number | string>('');
  const throttle = useTaskAct<number | null>(id, (limit) => reembed.tasks.throttle(id, limit), 'The rate is set');
  const set = (limit: number | null) => throttle.mutate(limit, { onSettled: onClose });
  return (
    <Modal opened onClose={onClose} title="Throttle the copying">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typeof perSecond === 'number' && perSecond > 0) set(perSecond);
        }}
      >
        <Stack gap="sm">
          <NumberInput
            label="Objects per second"
            description="At most so many are embedded and copied. It counts at once."
            min={0.001}
            max={1_000_000}
            thousandSeparator=","
            value={perSecond}
            onChange={setPerSecond}
            data-autofocus
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={() => set(null)}>
              No limit
            </Button>
            <Button type="submit" loading={throttle.isPending} disabled={!(Number(perSecond) > 0)}>
              Set the rate
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
