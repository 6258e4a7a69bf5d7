import { CommanderError } from 'commander';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { type Io, jsonLine, oneLine } from './output.ts';
import { paintIf } from './paint.ts';

/** What a process tells its caller. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'it worked, and a task that was waited for is done',
  failed: 'it did not work, what was asked for is not there, or a task that was waited for did not end as done',
  usage: 'the command line, a file, an input or a setting is wrong; nothing was changed',
  interrupted: 'Ctrl-C while looking at tasks, which go on',
};

/** Ends the command with a code of its own; everything has been told. */
export class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.name = 'Exit';
    this.code = code;
  }
}

/** The arguments make no sense together, or a file is not what it should be. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Tells what went wrong in one line, and each bad field in one more; returns the exit code. */
export function reportError(error: unknown, json: boolean, io: Io): number {
  if (error instanceof Exit) return error.code;
  // Commander has told it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const type = error instanceof ReembedError ? error.type : error instanceof UsageError ? 'InvalidInput' : 'Internal';
  const issues = error instanceof ReembedError ? error.issues : [];
  if (json) {
    const reason = error instanceof ReembedError ? error.reason : undefined;
    io.out(`${jsonLine({ error: { type, message: messageOf(error), reason, issues } })}\n`);
  } else {
    io.err(`${paintIf(io.colours?.err).error('error:')} ${oneLine(messageOf(error))}\n`);
    if (type === 'ServerUnavailable' && /^no answer from/.test(messageOf(error))) {
      io.err('  start it with `reembed dev`, or name another one with --url or REEMBED_URL\n');
    }
    for (const { path, message } of issues) {
      // The line above may have said it already.
      if (!messageOf(error).includes(`${path}: ${message}`)) io.err(`  ${oneLine(`${path}: ${message}`)}\n`);
    }
    if (type === 'Internal' && error instanceof Error && error.stack && io.env.REEMBED_LOG_LEVEL === 'debug') {
      io.err(`${error.stack}\n`);
    }
  }
  return type === 'InvalidSetting' || type === 'InvalidInput' ? EXIT.usage : EXIT.failed;
}
