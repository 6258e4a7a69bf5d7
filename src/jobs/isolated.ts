import { isMainThread } from 'node:worker_threads';
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { pino } from 'pino';
import { encryptedData } from '../client/temporal/encryption/data-converter.ts';
import type { EncryptionKey } from '../client/temporal/encryption/keys.ts';
import { ReembedError } from '../contract/errors.ts';
import type { Json } from '../contract/json.ts';
import { resultOf } from './attempt.ts';
import { createJobControl } from './control.ts';
import { callHandler as callMarked, handlerFailure } from './failure.ts';
import type { Bound } from './handler.ts';
import { importTasks } from './load.ts';
import { type PlainError, toPlain } from './plain-error.ts';
import { globalRegistry, type JobConnection } from './registry.ts';
import { checkInput } from './send.ts';

/** What a thread or a process is told to run. */
export interface IsolatedRun {
  name: string;
  input: unknown;
  bind: boolean;
  uuid: string;
  workerId: string;
  attempt: number;
  modules: readonly string[];
  temporal: {
    connection: ConnectionOptions;
    namespace: string;
    taskQueue: string;
    encryptionKeys: readonly EncryptionKey[];
  };
}

export type IsolatedOutcome = { kind: 'returned'; value: Json } | { kind: 'threw'; error: PlainError };

let connection: JobConnection | undefined;

let onStray: (error: unknown) => void = () => {};
process.on('unhandledRejection', (error) => onStray(error));
process.on('uncaughtException', (error) => onStray(error));

// A thread that ends itself would not be missed before the timeout of its job.
if (!isMainThread) {
  process.exit = (code) => {
    throw new ReembedError('WorkerLost', `the handler ended its thread: process.exit(${code ?? ''})`);
  };
}

/** The entry of such a thread or process: runs one handler, and answers however it ended. */
export default async function runIsolated(run: IsolatedRun): Promise<IsolatedOutcome> {
  // It runs one handler at a time: what nothing handles is of this one.
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
  if (!task) throw new ReembedError('JobUnknown', `there is no task ${name} in the modules of the worker`);
  connection ??= connect(temporal);
  for (const each of new Set([registry, task.registry])) if (!each.isConnected) each.connect(connection);
  const { input } = await checkInput(task, given);
  const handler = task.handler as (...args: unknown[]) => unknown;
  if (!bind) return callMarked(() => handler(input));
  const bound: Bound = {
    ...{ uuid, workerId, attempt },
    // A handler that blocks would not hear of it: its thread or process is ended instead.
    signal: new AbortController().signal,
    // Its worker does it, whatever the handler is at.
    heartbeat: () => {},
    control: createJobControl(connection, registry),
    log: pino({ level: process.env.REEMBED_LOG_LEVEL ?? 'info' }).child({ job: name, taskId: uuid, attempt }),
  };
  return callMarked(() => handler(bound, input));
}

/** It connects when it is used first. */
function connect({
  connection: options,
  namespace,
  taskQueue,
  encryptionKeys,
}: IsolatedRun['temporal']): JobConnection {
  const dataConverter = encryptedData(encryptionKeys);
  return { client: new Client({ connection: Connection.lazy(options), namespace, dataConverter }), taskQueue };
}
