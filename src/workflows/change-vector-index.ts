import { continueAsNew } from '@temporalio/workflow';
import type { HandOver } from '../contract/hand-over.ts';
import type { VectorIndexTaskBody } from '../contract/index-patch.ts';
import type { Tracker } from '../contract/tasks.ts';
import type { TaskInputs } from '../contract/workflow-inputs.ts';
import { embedActivities, vectorIndexActivities } from './activities.ts';
import { admit } from './task/admit.ts';
import { RefusedError } from './task/errors.ts';
import { handOver, receive } from './task/receive.ts';
import { runTask } from './task/run-task.ts';

type Input = TaskInputs['vector-index'];

/** Longest time between two looks whether another build has ended. */
const MAX_WAIT_SECONDS = 30;

/**
 * Changes how the vectors of an index are indexed. The old HNSW index serves until the new one is complete; a cancel
 * before the switch leaves the old one. Of several such tasks of an index, the one that was asked for last wins.
 */
export async function changeVectorIndex(first: Input, second?: HandOver): Promise<Tracker> {
  const { body: input, raw, given, refusal } = receive('vector-index', first, second);
  const { previous, indexNo: acceptedNo } = given;
  // The API has recorded an accepted task as the last one. A run that continues itself was recorded before.
  let isClaimed = previous === undefined ? acceptedNo !== undefined : previous.sameAttempt === true;
  const spec = {
    type: 'vector-index',
    indexes: [input.index].filter((name) => typeof name === 'string'),
    maxAttempts: input.maxAttempts,
    previous,
    refusal,
    startNextRun: (carried: HandOver['previous']) =>
      continueAsNew<typeof changeVectorIndex>(raw as Input, handOver({ previous: carried, indexNo: acceptedNo })),
  } as const;
  return runTask(spec, async (task) => {
    const { input: checked } = await admit(task, 'vector-index', raw, previous);
    // Of a task that was started by hand, the admission has recorded the index.
    const {
      index,
      vectorIndex,
      indexNo: admittedNo,
    } = checked as unknown as VectorIndexTaskBody & { indexNo?: number };
    const taskId = task.id;
    const begun = { taskId, index, indexNo: acceptedNo ?? admittedNo ?? null, vectorIndex, isClaimed };
    const { indexNo } = await embedActivities().beginVectorIndexChange(begun);
    isClaimed = true;
    await task.checkpoint();
    task.report({ data: { index } });
    const build = () => {
      task.setDetail(`building another vector index of ${index}; the old one serves until it is complete`);
      return vectorIndexActivities().changeVectorIndex({ taskId, indexNo, vectorIndex });
    };
    let outcome = await build();
    // It waits here and not in the activity, which would take a place of a worker.
    for (let seconds = 1; outcome.kind === 'busy'; seconds = Math.min(MAX_WAIT_SECONDS, seconds * 2)) {
      await task.waitFor(`waits for another build of the HNSW index of ${index}`, seconds);
      task.continueIfLong();
      outcome = await build();
    }
    if (outcome.kind === 'superseded') {
      throw new RefusedError('superseded', `the task ${outcome.by} was asked for another vector index of ${index}`);
    }
    task.setDetail(
      outcome.built ? `${index} has the new vector index` : `${index} has the new settings; there was nothing to build`,
    );
  });
}
