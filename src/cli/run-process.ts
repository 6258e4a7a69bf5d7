import { ReembedError } from '../contract/errors.ts';
import { takeStray } from '../jobs/strays.ts';
import type { ProcessContext } from '../runtime/process-context.ts';
import { readSettings, type Settings, unknownVariables } from '../settings/settings.ts';
import type { Io } from './output.ts';

/** Reads settings with overrides from the command line; warns about unknown variables. */
export function settingsFrom(io: Io, overrides: Record<string, string | undefined> = {}): Settings {
  for (const line of unknownVariables(io.env)) io.err(`warning: ${line}\n`);
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  return readSettings({ ...io.env, ...given });
}

/** Runs a long-running process with a log and signal handling until it is stopped. */
export async function runUntilStopped(
  io: Io,
  settings: Settings,
  run: (context: ProcessContext) => Promise<void>,
): Promise<void> {
  const { createLogger } = await import('../runtime/logging.ts');
  const { listenForStop } = await import('../runtime/lifecycle.ts');
  const log = createLogger(settings);
  const say = (line: string) => io.err(`${line}\n`);
  const { signal, dispose } = listenForStop(say);
  // An unhandled failure: end and be restarted, rather than continue in a broken state.
  const onRejection = (reason: unknown) => {
    // From a job handler: its attempt fails, and the process continues.
    const stray = takeStray(reason);
    if (stray) {
      const { name: job, taskId, over } = stray;
      const of = over ? 'from a job whose attempt is over' : 'fails the attempt of a job';
      return log.error({ err: reason, job, taskId }, `unhandled error, ${of}`);
    }
    log.fatal({ err: reason }, 'unhandled error');
    process.exit(1);
  };
  // The Temporal client retries a call on a timer even after its connection was closed; harmless during shutdown.
  const onException = (error: Error) => {
    if (!signal.aborted || error.message !== 'Channel has been shut down') onRejection(error);
  };
  process.on('unhandledRejection', onRejection);
  process.on('uncaughtException', onException);
  try {
    await run({ log, say, signal });
  } catch (error) {
    if (!(error instanceof ReembedError)) log.error({ err: error }, 'stopped by an error');
    throw error;
  } finally {
    process.off('unhandledRejection', onRejection);
    dispose();
  }
}
