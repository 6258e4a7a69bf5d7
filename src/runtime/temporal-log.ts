import { DefaultLogger, type LogEntry, type Logger as TemporalLogger } from '@temporalio/worker';
import type { Logger } from 'pino';

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** Min. time between two log lines about an unavailable server, instead of one for each poller and try. */
const RETRY_TOLD_EVERY_MS = 30_000;

/** Warnings of the SDK about normal conditions: queues for activities only, heartbeats of local activities. */
const AS_IT_SHOULD_BE = /^(No workflows registered|Activity heartbeat failed)/;

/** Forwards log entries of Temporal's SDK, its native core and workflow code to our log. */
export function temporalLogger(log: Logger): TemporalLogger {
  let toldOfRetry = 0;
  const levelOf = ({ level, message }: LogEntry, ours: boolean) => {
    if (AS_IT_SHOULD_BE.test(message)) return 'debug';
    if (/^gRPC call \S+ retried/.test(message)) {
      if (Date.now() - toldOfRetry < RETRY_TOLD_EVERY_MS) return 'debug';
      toldOfRetry = Date.now();
      return 'warn';
    }
    // The SDK logs each state of each worker at this level; entries of workflows and activities are for people.
    return level === 'INFO' && !ours ? 'debug' : LEVELS[level];
  };
  return new DefaultLogger('TRACE', (entry: LogEntry) => {
    // Drops the payloads that the SDK logs with a task that could not be read.
    const {
      sdkComponent,
      error,
      taskToken: _token,
      task: _task,
      ...meta
    } = (entry.meta ?? {}) as Record<string, unknown>;
    const ours = sdkComponent === 'workflow' || sdkComponent === 'activity';
    const failure = error === undefined ? {} : error instanceof Error ? { err: error } : { reason: error };
    // The id of a workflow is the id of its task.
    const task = meta.workflowId === undefined ? {} : { taskId: meta.workflowId };
    const fields = { ...task, ...meta, ...failure, component: `temporal-${String(sdkComponent ?? 'core')}` };
    log[levelOf(entry, ours)](fields, entry.message);
  });
}
