import { continueAsNew, defineSignal, setHandler, workflowInfo } from '@temporalio/workflow';
import { LIMITS } from '../../contract/limits.ts';
import { LOOK, WAITS } from '../../contract/names.ts';
import type { FollowRequest } from '../../contract/source-activities.ts';
import { sourceActivities } from '../activities.ts';
import { requireArgument } from '../task/receive.ts';
import { atLeast, text, whole } from '../task/shapes.ts';

/** Reports of the activity about its model; the state of the source has them. */
const waitsSignal = defineSignal(WAITS);
/** The source is to be followed, whatever was found before. */
const lookSignal = defineSignal(LOOK);

/**
 * Follows a source until it is stopped, removed, or cannot be followed. What it does is in one activity, which is
 * scheduled again and again; its state and its position are in Postgres.
 */
export async function followSource(input: FollowRequest): Promise<void> {
  requireArgument(atLeast({ no: whole(1), name: text(LIMITS.nameChars) }), input);
  let isAsked = false;
  setHandler(waitsSignal, () => {});
  setHandler(lookSignal, () => {
    isAsked = true;
  });
  for (;;) {
    isAsked = false;
    const { kind } = await sourceActivities().followChanges(input);
    // It may have been started again just after it was found to be stopped.
    if (kind !== 'more' && !isAsked) return;
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof followSource>(input);
  }
}
