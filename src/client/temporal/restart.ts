import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { ReembedError } from '../../contract/errors.ts';
import { SIGNAL } from '../../contract/names.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { Carried, DeleteIndexInput, ReindexInput } from '../../contract/workflow-inputs.ts';
import { callTemporal } from './call.ts';
import { launch } from './launch.ts';
import { type DescribedTask, describeTask, getTracker, readTask } from './read.ts';
import { deleteRun } from './start.ts';
import { sendSignal, settle } from './steer.ts';

/** Where a restart shows in the tracker: elsewhere it does nothing. */
const RESTARTABLE: readonly string[] = ['waiting', 'failed', 'paused'];

/**
 * Runs a task again. One that runs does nothing of it while processing and goes on at once while it waits, is paused or
 * backs off. One that has ended starts a new run with the same id, input and version, whose tracker goes on counting
 * attempts; an exhausted or ignored one only with `force`. However many ask at once, there is one new run.
 * Errors: `TaskClosed` without `force` where it is needed, `TaskNotFound`, `TemporalUnavailable`.
 */
export async function restartTask(client: Client, taskId: string, options: { force?: boolean } = {}): Promise<Tracker> {
  const { force = false } = options;
  const described = await describeTask(client, taskId);
  if (described.running && (await sendSignal(client, taskId, SIGNAL.restart, [{ force }]))) {
    return settle(client, taskId, ({ tracker }) => !RESTARTABLE.includes(tracker.status));
  }
  if (described.taskType === 'reindex-slice') {
    throw new ReembedError('TaskClosed', `${taskId} is a slice of a reindex: restart the reindex instead`);
  }
  const { tracker, ended } = await readTask(client, taskId);
  if (!ended) return tracker; // someone else has restarted it
  if (!force && (tracker.status === 'exhausted' || tracker.status === 'ignored')) {
    throw new ReembedError('TaskClosed', `the task ${taskId} is ${tracker.status}: it runs again only with force`);
  }
  return startAgain(client, { ...described, taskType: described.taskType }, tracker);
}

async function startAgain(
  client: Client,
  ended: DescribedTask & { taskType: Exclude<DescribedTask['taskType'], 'reindex-slice'> },
  tracker: Tracker,
): Promise<Tracker> {
  const { workflowId: taskId, taskType: type, taskQueue } = ended;
  // The run described may have continued as another one since.
  const { runId } = tracker.links.runId === '' ? ended : tracker.links;
  const { attempts, createTime, errors, data, status, version } = tracker;
  const progress = { ...tracker.progress, done: 0, failed: 0, perSecond: 0, etaSeconds: null };
  const previous: Carried = { attempts, createTime, errors, data, progress, status, version };
  const inputHash = ended.memo?.inputHash;
  try {
    const started = await launch(client, {
      type,
      taskId,
      taskQueue,
      input: { ...(await readInput(client, taskId, runId)), previous },
      inputHash: typeof inputHash === 'string' ? inputHash : undefined,
      summary: await ended.staticSummary(),
      priority: ended.priority?.priorityKey,
      fairnessKey: ended.priority?.fairnessKey,
      reuse: 'ALLOW_DUPLICATE',
      replaces: runId,
      requestId: `restart-of-${runId}`,
    });
    await deleteRun(client, taskId, runId);
    return started;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return getTracker(client, taskId);
    throw error;
  }
}

/**
 * What a run was started with, from the first event of its history. What a run that continued itself was handed over is
 * left out: it tells of locks that are given back at the end.
 */
async function readInput(client: Client, taskId: string, runId: string) {
  const { namespace, loadedDataConverter } = client.options;
  const request = { namespace, execution: { workflowId: taskId, runId }, maximumPageSize: 1 };
  const { history } = await callTemporal(client, taskId, () =>
    client.workflowService.getWorkflowExecutionHistory(request),
  );
  const payloads = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads;
  const [input] = await decodeArrayFromPayloads(loadedDataConverter, payloads, {
    type: 'workflow',
    namespace,
    workflowId: taskId,
  });
  const { state: _state, deleteAtMs: _deleteAtMs, mirror: _mirror, ...body } = input as ReindexInput & DeleteIndexInput;
  return body;
}
