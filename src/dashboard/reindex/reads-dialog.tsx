import { Button, Group, Modal, NumberInput, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { ReadShares } from '../../contract/read-shares.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { reembed } from '../api/client.ts';
import { useTaskAct } from '../task/steer.ts';
import { readsOf } from './shares.ts';

interface ReadsDialogProps {
  tracker: Tracker;
  onClose: () => void;
}

type Shares = Partial<ReadShares>;

const isPercent = (given: number | string) => given !== '' && Number(given) >= 0 && Number(given) <= 100;

/** Sets or ends the shares of live searches on the other index. */
export function ReadsDialog({ tracker, onClose }: ReadsDialogProps) {
  const { id, type } = tracker;
  const { shadow: shadowNow = 0, canary: canaryNow = 0 } = readsOf(tracker) ?? {};
  const [shadow, setShadow] = useState<number | string>(inPercent(shadowNow));
  const [canary, setCanary] = useState<number | string>(inPercent(canaryNow));
  // After the switch, callers are answered by the new index only.
  const hasCanary = type === 'reindex';
  const act = useTaskAct<Shares>(id, (shares) => reembed.tasks.setReads(id, shares), 'The shares are set');
  const send = (shares: Required<ReadShares>) =>
    act.mutate(hasCanary ? shares : { shadow: shares.shadow }, { onSuccess: onClose });
  const mayNot = !isPercent(shadow) || (hasCanary && !isPercent(canary));
  const errorOf = (given: number | string) => (isPercent(given) ? undefined : 'Enter a number from 0 to 100.');
  return (
    <Modal opened onClose={onClose} title="Try the index on live searches">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!mayNot) send({ shadow: Number(shadow) / 100, canary: Number(canary) / 100 });
        }}
      >
        <Stack gap="sm">
          <Text fz="sm">Takes effect at once, for searches by the alias. Writes are not affected. 0 ends it.</Text>
          <NumberInput
            label="Shadow"
            description="Percent of the searches that also run on the other index after their answer. Callers notice nothing."
            suffix=" %"
            value={shadow}
            onChange={setShadow}
            error={errorOf(shadow)}
            data-autofocus
          />
          {hasCanary && (
            <NumberInput
              label="Canary"
              description="Percent of the searches that the new index answers. If it fails, the serving index answers."
              suffix=" %"
              value={canary}
              onChange={setCanary}
              error={errorOf(canary)}
            />
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            {(shadowNow > 0 || canaryNow > 0) && (
              <Button variant="default" loading={act.isPending} onClick={() => send({ shadow: 0, canary: 0 })}>
                End both
              </Button>
            )}
            <Button type="submit" loading={act.isPending} disabled={mayNot}>
              Set the shares
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** Returns a share in percent, without the noise of binary fractions. */
const inPercent = (given: number) => Math.round(given * 1e6) / 1e4;
