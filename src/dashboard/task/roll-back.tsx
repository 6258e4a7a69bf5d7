import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { RollBack } from '../../client/client.ts';
import { messageOf } from '../../contract/errors.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { FactList } from '../ui/fact-list.tsx';
import { number } from '../ui/format.ts';
import { IndexLink } from '../ui/links.tsx';
import { Moment } from '../ui/moment.tsx';
import { Problem } from '../ui/states.tsx';
import { ReasonInput } from './reason-input.tsx';

const keyOf = (taskId: string) => ['roll-back', taskId];

interface RollBackActionProps {
  tracker: Tracker;
  isSwitched: boolean;
}

/** The button that rolls back, or forward again; it says why that is not possible. */
export function RollBackAction({ tracker: { id, data }, isSwitched }: RollBackActionProps) {
  const [isOpen, dialog] = useDisclosure();
  const isKept = isSwitched && typeof data.retireTask === 'string';
  const { data: found, error } = useQuery({
    queryKey: keyOf(id),
    queryFn: () => reembed.tasks.rollBackOf(id),
    enabled: isKept,
    refetchInterval: 5_000,
    retry: false,
  });
  const isBack = found === undefined || found.to === data.source;
  const unless = !isSwitched
    ? 'Nothing is switched yet.'
    : !isKept
      ? 'The old index is not kept current: choose that when you start a reindex.'
      : error
        ? messageOf(error)
        : found
          ? null
          : 'Not known yet.';
  return (
    <>
      <ActionButton needs="approve" unless={unless} onClick={dialog.open}>
        {isBack ? 'Roll back…' : 'Roll forward…'}
      </ActionButton>
      {isOpen && found && <RollBackDialog found={found} isBack={isBack} onClose={dialog.close} />}
    </>
  );
}

interface RollBackDialogProps {
  found: RollBack;
  /** Whether the old index would serve. */
  isBack: boolean;
  onClose: () => void;
}

/** Shows both indexes and what was written since the switch, and asks for confirmation. */
function RollBackDialog({ found, isBack, onClose }: RollBackDialogProps) {
  // What is confirmed is what was shown when the dialog opened.
  const [{ taskId, to }] = useState(found);
  const [reason, setReason] = useState('');
  const turn = useAct(() => reembed.tasks.rollBack(taskId, { to, reason: reason || undefined }), {
    quiet: true,
    done: () => `${to} serves`,
    changes: [keyOf(taskId), ['aliases'], ['indexes'], ['retire'], ['children', taskId]],
    onDone: onClose,
  });
  return (
    <Modal opened onClose={onClose} title={isBack ? `Roll back to ${to}?` : `Roll forward to ${to}?`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          turn.mutate();
        }}
      >
        <Stack gap="sm">
          <Text fz="sm">
            Searches and writes use {to} from then on. Nothing is lost: it has every write, or the call changes nothing.
            The other index is kept current in turn, and neither is deleted.
          </Text>
          <Since found={found} />
          <ReasonInput value={reason} onChange={setReason} />
          {turn.error && <Problem error={turn.error} title={`${to} does not serve yet`} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Close
            </Button>
            <Button type="submit" color="red" loading={turn.isPending}>
              {isBack ? 'Roll back' : 'Roll forward'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Since({ found: { from, to, aliases, since, written, deleted, isMore } }: Pick<RollBackDialogProps, 'found'>) {
  const atLeast = isMore ? 'at least ' : '';
  return (
    <FactList
      facts={[
        ['Serves now', <IndexLink key="from" name={from} />],
        ['Kept current', <IndexLink key="to" name={to} />],
        ['Aliases that move', aliases.join(', ') || 'none'],
        ['Last switch', <Moment key="since" at={since} />],
        ['Written since', `${atLeast}${number(written)} objects`],
        ['Deleted since', `${atLeast}${number(deleted)} objects`],
      ]}
    />
  );
}
