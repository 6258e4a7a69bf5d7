import { isMainThread } from 'node:worker_threads';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { pino } from 'pino';
import { ReembedError } from '../contract/errors.ts';
import type { Json } from '../contract/json.ts';
import { type ClientOptions, createTemporalClient, openLazyConnection } from '../temporal/connect.ts';
import { resultOf } from './attempt.ts';
import { callHandler as callMarked, handlerFailure } from './failure.ts';
import { createJobControl } from './inspect.ts';
import { importTasks } from './load.ts';
import { globalRegistry } from './registry.ts';
import { checkInput } from './send.ts';
import { type PlainError, toPlain } from './serialized-error.ts';
import type { Bound, JobConnection } from './types.ts';

/** What a thread or process is to run. */
export interface IsolatedRun {
  name: string;
  input: unknown;
  bind: boolean;
  uuid: string;
  workerId: string;
  attempt: number;
  modules: readonly string[];
  temporal: ClientOptions & { connection: NativeConnectionOptions; taskQueue: string };
}

export type IsolatedOutcome = { kind: 'returned'; value: Json } | { kind: 'threw'; error: PlainError };

let connection: JobConnection | undefined;

let onStray: (error: unknown) => void = () => {};
process.on('unhandledRejection', (error) => onStray(error));
process.on('uncaughtException', (error) => onStray(error));

// Without this, a thread that ends itself would be noticed only at its job's timeout.
if (!isMainThread) {
  process.exit = (code) => {
    throw new ReembedError('WorkerLost', `the handler ended its thread: process.exit(${code ?? ''})`);
  };
}

/** The entry point of the thread or process: runs one handler and returns its outcome. */
export default async function runIsolated(run: IsolatedRun): Promise<IsolatedOutcome> {
  // Only one handler runs at a time, so an unhandled error belongs to it.
  const stray = new Promise<never>((_, reject) => {
    onStray = (error) => reject(handlerFailure(error));
  });
  stray.catch(() => {});
  try {
    await importTasks(run.modules);
    return { kind: 'returned', value: resultOf(run.name, await Promise.race([callHandler(run), stray])) };
  } catch (error) {
    return { kind: 'threw', error: toPlain(error) };
  }
}

async function callHandler({ name, input: given, bind, uuid, workerId, attempt, temporal }: IsolatedRun) {
  const registry = globalRegistry();
  const task = registry.get(name);
  if (!task) throw new ReembedError('JobUnknown', `the modules of the worker have no task ${name}`);
  connection ??= connect(temporal);
  for (const each of new Set([registry, task.registry])) if (!each.isConnected) each.connect(connection);
  const { input } = await checkInput(task, given);
  const handler = task.handler as (...args: unknown[]) => unknown;
  if (!bind) return callMarked(() => handler(input));
  const bound: Bound = {
    ...{ uuid, workerId, attempt },
    // A blocking handler would not notice the signal: its thread or process is ended instead.
    signal: new AbortController().signal,
    // The worker sends heartbeats, even while the handler blocks.
    heartbeat: () => {},
    control: createJobControl(connection, registry),
    log: pino({ level: process.env.REEMBED_LOG_LEVEL ?? 'info' }).child({ job: name, taskId: uuid, attempt }),
  };
  return callMarked(() => handler(bound, input));
}

/** Creates a connection that connects on first use. */
function connect({ connection: options, taskQueue, ...rest }: IsolatedRun['temporal']): JobConnection {
  return { client: createTemporalClient(openLazyConnection(options), rest), taskQueue };
}
