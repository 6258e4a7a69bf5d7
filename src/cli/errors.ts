import { CommanderError } from 'commander';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { type Io, jsonLine, oneLine } from './output.ts';
import { paintIf } from './paint.ts';

/** Exit codes of the process. */
export const EXIT = { ok: 0, failed: 1, usage: 2, inconclusive: 3, interrupted: 130 } as const;

export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'success; a task that was waited for is done',
  failed:
    'failure, something was not found, or a task that was waited for did not end with status done; an evaluation says no-go; an audit left something broken; `doctor` found something of the severity of --fail-on; a forecast is above --fail-above',
  usage: 'the command line, a file, an input or a setting is not valid; nothing was changed',
  inconclusive: 'an evaluation could not decide; a figure that --fail-above limits is unknown',
  interrupted: 'Ctrl-C while following tasks, which continue',
};

/** Ends the command with an exit code; everything is already reported. */
export class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.name = 'Exit';
    this.code = code;
  }
}

/** Conflicting arguments, or a file that is not valid. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Reports an error in one line, plus one line for each invalid field; returns the exit code. */
export function reportError(error: unknown, json: boolean, io: Io): number {
  if (error instanceof Exit) return error.code;
  // Commander has already reported it.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const type = error instanceof ReembedError ? error.type : error instanceof UsageError ? 'InvalidInput' : 'Internal';
  const issues = error instanceof ReembedError ? error.issues : [];
  if (json) {
    const reason = error instanceof ReembedError ? error.reason : undefined;
    io.out(`${jsonLine({ error: { type, message: messageOf(error), reason, issues } })}\n`);
  } else {
    io.err(`${paintIf(io.colours?.err).error('error:')} ${oneLine(messageOf(error))}\n`);
    if (type === 'ServerUnavailable' && /^no answer from/.test(messageOf(error))) {
      io.err('  start it with `reembed dev`, or set another address with --url or REEMBED_URL\n');
    }
    for (const { path, message } of issues) {
      // The line above may already contain it.
      if (!messageOf(error).includes(`${path}: ${message}`)) io.err(`  ${oneLine(`${path}: ${message}`)}\n`);
    }
    if (type === 'Internal' && error instanceof Error && error.stack && io.env.REEMBED_LOG_LEVEL === 'debug') {
      io.err(`${error.stack}\n`);
    }
  }
  return type === 'InvalidSetting' || type === 'InvalidInput' ? EXIT.usage : EXIT.failed;
}
