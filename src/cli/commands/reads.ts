import type { Command } from 'commander';
import type { ReembedClient } from '../../client/client.ts';
import { ReembedError } from '../../contract/errors.ts';
import type { ReadsReport } from '../../contract/reads.ts';
import { examples, share } from '../arguments.ts';
import { type Io, writeResult } from '../output.ts';
import { readsText } from '../reads-text.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { writeTracker } from '../task-output.ts';

interface Shares {
  shadow?: number;
  canary?: number;
}

/** Adds the options `--shadow` and `--canary`. */
export function withShares(command: Command): Command {
  return command
    .option('--shadow <share>', 'share of the searches that also run on the new index, such as 0.05', share)
    .option('--canary <share>', 'share of the searches that the new index answers, such as 0.05', share);
}

/** Adds `reembed tasks reads`. */
export function addReadsCommand(group: Command, io: Io): void {
  withShares(remote(group.command('reads <task>')))
    .summary('show or set the shadow and canary reads of a reindex')
    .description(
      'Shows how live searches do on the index that a reindex has built, while it waits for an approval. With --shadow ' +
        'or --canary, sets the share of the searches; 0 ends it.',
    )
    .addHelpText(
      'after',
      examples('reembed tasks reads my-task', 'reembed tasks reads my-task --shadow 0.05 --canary 0'),
    )
    .action(async (taskId: string, options: RemoteOptions & Shares) => {
      const { shadow, canary } = options;
      const client = clientFrom(io, options);
      if (shadow !== undefined || canary !== undefined) {
        writeTracker(io, options.json, await client.tasks.setReads(taskId, { shadow, canary }));
        return;
      }
      const report = await client.tasks.reads(taskId);
      writeResult(io, options.json, report, () => readsText(report));
    });
}

/** Returns the figures of a task; undefined if it has none. */
export async function findReads(client: ReembedClient, taskId: string): Promise<ReadsReport | undefined> {
  try {
    return await client.tasks.reads(taskId);
  } catch (error) {
    if (error instanceof ReembedError && error.type === 'ReadsNotFound') return undefined;
    throw error;
  }
}
