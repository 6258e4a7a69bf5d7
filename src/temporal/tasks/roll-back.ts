import {
  type Client,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  WorkflowUpdateStage,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { isErrorType, messageOf, ReembedError } from '../../contract/errors.ts';
import { ROLL_BACK } from '../../contract/names.ts';
import { ROLL_BACK_REFUSALS, type RollBackReport, type RollBackRequest } from '../../contract/roll-back.ts';
import { callTemporal, isType } from '../call.ts';

/** Time in which a worker must accept the call. */
const ACCEPT_MS = 5_000;
/** Time in which the roll back must end: it brings the index up to date first. */
const WAIT_MS = 60_000;

/**
 * Lets the other one of two indexes serve, by an update of the task that keeps it current, and waits for the end.
 * Returns null if it serves already. Errors: `NotCurrent` with what is missing, or if it takes too long (it continues, and
 * the same call waits for it); `RollBackRefused` if the task has ended; `NoWorker`, `TemporalUnavailable`.
 */
export async function askRollBack(
  client: Client,
  keeperId: string,
  request: RollBackRequest,
): Promise<RollBackReport | null> {
  const handle = client.workflow.getHandle(keeperId);
  try {
    const options = { args: [request] as [RollBackRequest], waitForStage: WorkflowUpdateStage.ACCEPTED } as const;
    const accept = () => handle.startUpdate<RollBackReport | null, [RollBackRequest]>(ROLL_BACK, options);
    const update = await callTemporal(client, keeperId, accept, { timeoutMs: ACCEPT_MS }).catch((error) => {
      if (!isOutOfTime(error)) throw error;
      const message = `no worker answered within ${ACCEPT_MS / 1_000} s: the roll back begins if one does later`;
      throw new ReembedError('NoWorker', message, { cause: error });
    });
    return await callTemporal(client, keeperId, () => update.result(), { timeoutMs: WAIT_MS }).catch((error) => {
      if (!isOutOfTime(error)) throw error;
      const message = `the roll back takes longer than ${WAIT_MS / 1_000} s and continues: the same call waits for it`;
      throw new ReembedError('NotCurrent', message, { cause: error });
    });
  } catch (error) {
    throw toReembedError(error);
  }
}

/** The server's type of the failure of an update whose workflow ended before its answer. */
const ENDED_MEANWHILE = 'AcceptedUpdateCompletedWorkflow';

/** Whether a call lasted longer than its deadline although the server could be reached. */
function isOutOfTime(error: unknown): boolean {
  return error instanceof ReembedError && error.cause instanceof WorkflowUpdateRPCTimeoutOrCancelledError;
}

function toReembedError(error: unknown): unknown {
  const ended = 'the index is not kept current any more: its task has ended';
  const refused = { reason: ROLL_BACK_REFUSALS.notKeptCurrent };
  if (isType(error, 'TaskNotFound')) return new ReembedError('RollBackRefused', ended, refused);
  if (!(error instanceof WorkflowUpdateFailedError)) return error;
  const { cause } = error;
  const type = cause instanceof ApplicationFailure ? (cause.type ?? '') : ENDED_MEANWHILE;
  if (!(cause instanceof ApplicationFailure) || type === ENDED_MEANWHILE) {
    return new ReembedError('RollBackRefused', ended, refused);
  }
  const [facts] = (cause.details ?? []) as [{ reason?: string }?];
  return new ReembedError(isErrorType(type) ? type : 'Internal', messageOf(cause), { reason: facts?.reason });
}
