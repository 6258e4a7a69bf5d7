import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { BuildProgress as Shown } from '../../contract/build-progress.ts';
import { BUILD_PROGRESS, WORKFLOW } from '../../contract/names.ts';
import type { BuildProgress } from '../../store/build-progress.ts';

/** Min. share from which the remaining time is estimated. */
const MIN_SHARE = 0.01;

type BuildManner = Required<Pick<Shown, 'givesWay'>> & Pick<Shown, 'fits'>;

/** Runs a build and reports its progress to the task of the running activity. */
export async function reportingBuild<T>(
  client: Client,
  build: (onProgress: (progress: BuildProgress, how: BuildManner) => void) => Promise<T>,
): Promise<T> {
  const { workflowExecution, workflowType } = Context.current().info;
  let sending: Promise<unknown> | undefined;
  // The workflow that only builds an index is not a task.
  const isTask =
    workflowExecution !== undefined && ![WORKFLOW.buildIndex, WORKFLOW.maintain].some((type) => type === workflowType);
  const send = (progress: Shown | null) => {
    if (!isTask) return;
    const { workflowId, runId } = workflowExecution;
    const handle = client.workflow.getHandle(workflowId, runId);
    // A report that does not arrive is not missed.
    sending = (sending ?? Promise.resolve()).then(() => handle.signal(BUILD_PROGRESS, progress)).catch(() => {});
  };
  try {
    return await build((progress, how) => send({ ...shownOf(progress), ...how }));
  } finally {
    if (sending) send(null);
    await sending;
  }
}

function shownOf({ phase, share, phaseMs }: BuildProgress): Shown {
  const leftMs = share !== null && share >= MIN_SHARE ? (phaseMs * (1 - share)) / share : null;
  return {
    phase,
    percent: share === null ? null : Math.floor(100 * share),
    etaSeconds: leftMs === null ? null : Math.ceil(leftMs / 1_000),
    time: new Date().toISOString(),
  };
}
