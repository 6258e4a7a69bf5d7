import type { Command } from 'commander';
import type { WriteState } from '../../contract/write-token.ts';
import { examples } from '../arguments.ts';
import { EXIT, Exit } from '../errors.ts';
import { type Io, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';

/** Adds `reembed wait`. */
export function addWaitCommand(program: Command, io: Io): void {
  remote(program.command('wait <index> <task>'))
    .summary('wait until a write is searchable')
    .description(
      'Waits until searches in the index or alias find what an upsert or delete has written, or a transaction on a ' +
        'followed table, whose token reembed.write_token() returns. The exit code is 1 if they do not, because items or ' +
        'the write failed, or the time is out.',
    )
    .option('--timeout <seconds>', 'seconds to wait at most (default: 30)', Number)
    .addHelpText('after', examples('reembed wait docs my-task --timeout 60', "reembed wait docs 'tx~738~1a2b3c4d'"))
    .action(async (index: string, token: string, options: RemoteOptions & { timeout?: number }) => {
      const { timeout } = options;
      const state = await clientFrom(io, options).awaitWrite(index, token, timeout === undefined ? {} : { timeout });
      writeResult(io, options.json, state, () => stateText(state));
      if (!state.searchable) throw new Exit(EXIT.failed);
    });
}

function stateText({ token, index, searchable, ended, failed, status, detail }: WriteState): string {
  if (searchable) return `the write ${token} is searchable in ${index}`;
  if (!ended) return `the write ${token} is not searchable yet: it is ${status}`;
  const items = failed > 0 ? `, ${failed} items failed` : '';
  return `the write ${token} is not searchable: it is ${status}${items} (${detail})`;
}
