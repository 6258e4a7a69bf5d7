import { Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import type { IndexInfo } from '../../contract/indexes.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { ReasonDialog } from '../task/reason-dialog.tsx';
import { RollBackAction } from '../task/roll-back.tsx';
import { ActionButton } from '../ui/action-button.tsx';
import { Arrow } from '../ui/arrow.tsx';
import { CompareDialog } from './compare-dialog.tsx';
import { DeleteUnused } from './delete-unused.tsx';
import { retireQuery } from './retire.ts';
import { nextText, type Pair, type Stage, stageOf, unusedOf } from './stage.ts';

interface NextStepsProps {
  tracker: Tracker;
  ended: boolean;
  pair: Pair;
  indexes: readonly IndexInfo[];
}

/** All steps of a release in their order; one that is not possible yet, or not any more, says why. */
export function NextSteps({ tracker, ended, pair, indexes }: NextStepsProps) {
  const stage = stageOf(tracker, ended);
  const unused = unusedOf(pair, stage, indexes);
  const bothExist = [pair.source, pair.dest].every((name) => indexes.some((index) => index.name === name));
  return (
    <Stack gap="xs" role="group" aria-label="Next steps">
      <Text fz="sm" className="wrap" role="status">
        {nextText(tracker, stage, pair, indexes)}
      </Text>
      <ol className="steps">
        <li>
          <CompareStep tracker={tracker} stage={stage} pair={pair} bothExist={bothExist} />
        </li>
        {stage !== 'switched' && <DecideSteps tracker={tracker} stage={stage} />}
        {stage !== 'stopped' && (
          <li>
            <Arrow />
            <RollBackAction tracker={tracker} isSwitched={stage === 'switched'} />
          </li>
        )}
        <li>
          <Arrow />
          <DeleteStep tracker={tracker} stage={stage} pair={pair} unused={unused} indexes={indexes} />
        </li>
      </ol>
    </Stack>
  );
}

function CompareStep({
  tracker,
  stage,
  pair,
  bothExist,
}: Omit<NextStepsProps, 'ended' | 'indexes'> & { stage: Stage; bothExist: boolean }) {
  const [isOpen, dialog] = useDisclosure();
  const unless =
    stage === 'building' ? `${pair.dest} is not complete yet.` : bothExist ? null : 'One of the indexes is deleted.';
  return (
    <>
      <ActionButton unless={unless} onClick={dialog.open}>
        Compare…
      </ActionButton>
      {isOpen && <CompareDialog tracker={tracker} pair={pair} onClose={dialog.close} />}
    </>
  );
}

function DecideSteps({ tracker, stage }: { tracker: Tracker; stage: Stage }) {
  const [approving, approveDialog] = useDisclosure();
  const [rejecting, rejectDialog] = useDisclosure();
  const unless =
    stage === 'deciding' ? null : stage === 'stopped' ? 'The reindex has ended.' : 'Nothing waits for an approval now.';
  return (
    <>
      <li>
        <Arrow />
        <ActionButton
          needs="approve"
          variant={stage === 'deciding' ? 'filled' : 'default'}
          unless={unless}
          onClick={approveDialog.open}
        >
          Approve…
        </ActionButton>
        <ActionButton
          needs="approve"
          color={stage === 'deciding' ? 'red' : undefined}
          variant={stage === 'deciding' ? 'outline' : 'default'}
          unless={unless}
          onClick={rejectDialog.open}
        >
          Reject…
        </ActionButton>
      </li>
      {approving && <ReasonDialog id={tracker.id} verb="approve" onClose={approveDialog.close} />}
      {rejecting && <ReasonDialog id={tracker.id} verb="reject" onClose={rejectDialog.close} />}
    </>
  );
}

interface DeleteStepProps {
  tracker: Tracker;
  stage: Stage;
  pair: Pair;
  unused: string;
  indexes: readonly IndexInfo[];
}

function DeleteStep({ tracker, stage, pair, unused, indexes }: DeleteStepProps) {
  const [isOpen, dialog] = useDisclosure();
  const { data: retire } = useQuery(retireQuery(tracker));
  const isRunning = stage === 'building' || stage === 'deciding';
  const index = indexes.find(({ name }) => name === unused);
  const needsRetire = typeof tracker.data.retireTask === 'string' && retire === undefined;
  const unless = isRunning
    ? 'The reindex needs both indexes until it ends.'
    : (whyNotDeleted(unused, index) ?? (needsRetire ? 'The task that keeps the index is not known yet.' : null));
  return (
    <>
      <ActionButton needs="admin" color={unless === null ? 'red' : undefined} unless={unless} onClick={dialog.open}>
        {unused === pair.source ? 'Delete the old index…' : 'Delete the new index…'}
      </ActionButton>
      {isOpen && index && <DeleteUnused tracker={tracker} index={index} retire={retire} onClose={dialog.close} />}
    </>
  );
}

function whyNotDeleted(name: string, index: IndexInfo | undefined): string | null {
  if (!index) return `${name} is deleted.`;
  return index.aliases.length > 0 ? `It serves as ${index.aliases.join(', ')}.` : null;
}
