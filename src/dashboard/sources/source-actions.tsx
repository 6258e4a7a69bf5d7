import { useDisclosure } from '@mantine/hooks';
import type { SourceInfo } from '../../contract/sources.ts';
import { reembed } from '../api/client.ts';
import { useAct } from '../ui/act.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { useOpenTask } from '../ui/open-task.ts';
import { RemoveSource } from './remove-source.tsx';
import { SourceDialog } from './source-dialog.tsx';

/** What can be done with a source: stop or start it, sync all rows, change it, remove it. */
export function SourceActions({ source }: { source: SourceInfo }) {
  const { name, state } = source;
  const openTask = useOpenTask();
  const [changing, change] = useDisclosure();
  const [removing, remove] = useDisclosure();
  const changes = [['sources']];
  const stop = useAct(() => reembed.sources.stop(name), {
    done: () => `${name} is stopped; its triggers still record changes`,
    changes,
  });
  const start = useAct(() => reembed.sources.start(name), {
    done: () => `${name} is followed again, and all its rows are synced`,
    changes: [...changes, ['recent']],
  });
  const sync = useAct(() => reembed.tasks.sync({ source: name }), {
    changes: [['counts']],
    onDone: openTask,
  });
  const isStopped = state === 'stopped';
  return (
    <>
      <ActionButton
        loading={sync.isPending}
        unless={isStopped ? 'The source is stopped: start it, which also syncs all rows.' : null}
        onClick={() => sync.mutate()}
      >
        Sync now
      </ActionButton>
      {isStopped ? (
        <ActionButton variant="filled" loading={start.isPending} onClick={() => start.mutate()}>
          Start
        </ActionButton>
      ) : (
        <ActionButton loading={stop.isPending} onClick={() => stop.mutate()}>
          Stop
        </ActionButton>
      )}
      <ActionButton needs="admin" onClick={change.open}>
        Change…
      </ActionButton>
      <ActionButton needs="admin" color="red" variant="outline" onClick={remove.open}>
        Remove…
      </ActionButton>
      {changing && <SourceDialog source={source} onClose={change.close} />}
      {removing && <RemoveSource source={source} onClose={remove.close} />}
    </>
  );
}
