import { useDisclosure } from '@mantine/hooks';
import { approvalOf } from '../../contract/approval.ts';
import type { RollBackReport } from '../../contract/roll-back.ts';
import { effectOf, type SteeringCall } from '../../contract/steering.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { reembed } from '../api/client.ts';
import { isOverBudget } from '../reindex/stage.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { DeleteNow } from './delete-now.tsx';
import { ReasonDialog } from './reason-dialog.tsx';
import { useTaskAct } from './steer.ts';
import { ThrottleDialog } from './throttle-dialog.tsx';

interface TaskActionsProps {
  tracker: Tracker;
  /** Whether its stream has ended. */
  ended: boolean;
}

/** The actions that a task allows now, by the same table that the API uses. */
export function TaskActions({ tracker, ended }: TaskActionsProps) {
  const { id, status, type } = tracker;
  const [canceling, cancelDialog] = useDisclosure();
  const [ignoring, ignoreDialog] = useDisclosure();
  const [deleting, deleteDialog] = useDisclosure();
  const [throttling, throttleDialog] = useDisclosure();
  const pause = useTaskAct(id, () => reembed.tasks.pause(id), 'The task will pause');
  const resume = useTaskAct(id, () => reembed.tasks.resume(id), 'The task continues');
  const restart = useTaskAct<boolean>(id, (force) => reembed.tasks.restart(id, { force }), 'The task is restarted');
  const effect = (call: SteeringCall) => effectOf(status, ended, call);
  const may = (call: SteeringCall) => !['nothing', 'tooLate'].includes(effect(call));
  const deletes = type === 'delete-index' && status !== 'done';
  // It was rolled back to, and is not deleted while it serves.
  const serves = deletes && (tracker.data.rollBack as RollBackReport | undefined)?.to === tracker.data.index;
  // A restart does not end the wait for an approval, does what resume does, or finds nothing to do.
  const isPointless =
    (!ended && approvalOf(tracker.data)?.decision === null) ||
    effect('resume') === 'resumes' ||
    (type === 'reindex' && status === 'done');
  const needsForce = !may('restart') && may('restart with force');
  return (
    <>
      {may('pause') && (
        <ActionButton loading={pause.isPending} onClick={() => pause.mutate()}>
          Pause
        </ActionButton>
      )}
      {effect('resume') === 'resumes' && (
        <ActionButton
          loading={resume.isPending}
          variant={isOverBudget(tracker) ? 'default' : 'filled'}
          onClick={() => resume.mutate()}
        >
          Resume
        </ActionButton>
      )}
      {type === 'reindex' && may('throttle') && <ActionButton onClick={throttleDialog.open}>Throttle…</ActionButton>}
      {(may('restart') || needsForce) && deletes && !serves && (
        <ActionButton color="red" variant="outline" onClick={deleteDialog.open}>
          Delete now…
        </ActionButton>
      )}
      {(may('restart') || needsForce) && !deletes && !isPointless && (
        <ActionButton loading={restart.isPending} onClick={() => restart.mutate(needsForce)}>
          {effect('restart') === 'continues' ? 'Continue now' : needsForce ? 'Restart anyway' : 'Restart'}
        </ActionButton>
      )}
      {may('ignore') && <ActionButton onClick={ignoreDialog.open}>Ignore…</ActionButton>}
      {may('cancel') && (
        <ActionButton
          color={deletes ? undefined : 'red'}
          variant={deletes ? 'filled' : 'outline'}
          onClick={cancelDialog.open}
        >
          {deletes ? 'Keep the index…' : 'Cancel…'}
        </ActionButton>
      )}
      {deleting && <DeleteNow tracker={tracker} force={needsForce} onClose={deleteDialog.close} />}
      {canceling && <ReasonDialog id={id} verb={deletes ? 'keep' : 'cancel'} onClose={cancelDialog.close} />}
      {ignoring && <ReasonDialog id={id} verb="ignore" onClose={ignoreDialog.close} />}
      {throttling && <ThrottleDialog tracker={tracker} onClose={throttleDialog.close} />}
    </>
  );
}
