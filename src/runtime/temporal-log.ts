import { DefaultLogger, type LogEntry, type Logger as TemporalLogger } from '@temporalio/worker';
import type { Logger } from 'pino';

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** A server that is away is told of this often, not once for every poller and try. */
const RETRY_TOLD_EVERY_MS = 30_000;

/** What the SDK warns of although it is as it should be: queues for activities only, heartbeats of local activities. */
const AS_IT_SHOULD_BE = /^(No workflows registered|Activity heartbeat failed)/;

/** Sends what Temporal's SDK, its native core and workflow code log to our log. */
export function temporalLogger(log: Logger): TemporalLogger {
  let toldOfRetry = 0;
  const levelOf = ({ level, message }: LogEntry, ours: boolean) => {
    if (AS_IT_SHOULD_BE.test(message)) return 'debug';
    if (/^gRPC call \S+ retried/.test(message)) {
      if (Date.now() - toldOfRetry < RETRY_TOLD_EVERY_MS) return 'debug';
      toldOfRetry = Date.now();
      return 'warn';
    }
    // The SDK tells each state of each worker at this level; what workflows and activities say is for people.
    return level === 'INFO' && !ours ? 'debug' : LEVELS[level];
  };
  return new DefaultLogger('TRACE', (entry: LogEntry) => {
    // A task that could not be read is told with its payloads.
    const {
      sdkComponent,
      error,
      taskToken: _token,
      task: _task,
      ...meta
    } = (entry.meta ?? {}) as Record<string, unknown>;
    const ours = sdkComponent === 'workflow' || sdkComponent === 'activity';
    const failure = error === undefined ? {} : error instanceof Error ? { err: error } : { reason: error };
    // What Temporal calls the id of a workflow is that of a task.
    const task = meta.workflowId === undefined ? {} : { taskId: meta.workflowId };
    const fields = { ...task, ...meta, ...failure, component: `temporal-${String(sdkComponent ?? 'core')}` };
    log[levelOf(entry, ours)](fields, entry.message);
  });
}
