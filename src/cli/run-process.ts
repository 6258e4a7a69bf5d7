import { ReembedError } from '../contract/errors.ts';
import { takeStray } from '../jobs/strays.ts';
import type { ProcessContext } from '../runtime/context.ts';
import { readSettings, type Settings, unknownVariables } from '../runtime/settings.ts';
import type { Io } from './output.ts';

/** Settings with what the command line says instead; a variable that means nothing is told. */
export function settingsFrom(io: Io, overrides: Record<string, string | undefined> = {}): Settings {
  for (const line of unknownVariables(io.env)) io.err(`warning: ${line}\n`);
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
  return readSettings({ ...io.env, ...given });
}

/** Runs one of the long-running processes with a log and signals, until it is stopped. */
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
  // Something failed that nobody waits for: better to end, and be started anew, than to go on half dead.
  const onRejection = (reason: unknown) => {
    // A handler of a job: its attempt fails, and the process stays.
    const stray = takeStray(reason);
    if (stray) {
      const { name: job, taskId, over } = stray;
      const of = over ? 'of a job whose attempt is over' : 'fails the attempt of a job';
      return log.error({ err: reason, job, taskId }, `an error that nothing handles, ${of}`);
    }
    log.fatal({ err: reason }, 'an error that nothing handles');
    process.exit(1);
  };
  // The Temporal client repeats a call on a timer, also when its connection was closed meanwhile: at a stop no matter.
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
