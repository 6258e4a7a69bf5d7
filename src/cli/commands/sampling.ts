import type { Command } from 'commander';
import { LIMITS } from '../../contract/limits.ts';
import type { Sampling } from '../../contract/sampling.ts';
import { examples, share } from '../arguments.ts';
import { UsageError } from '../errors.ts';
import { type Io, jsonLine, oneLine, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';

interface SamplingOptions extends RemoteOptions {
  share?: number;
  keep?: string;
  end?: boolean;
}

/** Adds `reembed alias sampling` and `reembed alias searches`. */
export function addSamplingCommands(group: Command, io: Io): void {
  remote(group.command('sampling <alias>'))
    .summary('show or set which share of the searches by an alias is kept')
    .description(
      `Shows which share of the searches by text is kept, and how many there are. With --share, sets it; 0 keeps no further ones. The newest ${LIMITS.sampledSearches} are kept.`,
    )
    .option('--share <share>', 'share of the searches to keep, such as 0.01', share)
    .option('--keep <duration>', 'for how long a search is kept; default: 7d')
    .option('--end', 'keep no further searches, and delete those that are kept')
    .addHelpText(
      'after',
      examples(
        'reembed alias sampling docs',
        'reembed alias sampling docs --share 0.01 --keep 7d',
        'reembed alias sampling docs --end',
      ),
    )
    .action(async (alias: string, options: SamplingOptions) => {
      const { share, keep, end } = options;
      const { sampling } = clientFrom(io, options);
      if (end && (share !== undefined || keep !== undefined)) {
        throw new UsageError('--end excludes --share and --keep');
      }
      if (keep !== undefined && share === undefined) throw new UsageError('--keep requires --share');
      if (end) await sampling.end(alias);
      const state = share === undefined ? await sampling.get(alias) : await sampling.set(alias, { share, keep });
      writeResult(io, options.json, state, () => samplingText(state));
    });

  remote(group.command('searches <alias>'))
    .summary('list the sampled searches of an alias')
    .description('Lists the sampled searches of an alias, newest first. Needs the role queries.')
    .addHelpText('after', examples('reembed alias searches docs', 'reembed alias searches docs --json'))
    .action(async (alias: string, options: RemoteOptions) => {
      let shown = 0;
      for await (const search of clientFrom(io, options).sampling.searches(alias)) {
        shown++;
        const { time, index, text, hits } = search;
        if (options.json) io.out(`${jsonLine(search)}\n`);
        else io.out(`${oneLine(`${time}  ${index}  ${text.slice(0, 100)}  (${hits.length} hits)`)}\n`);
      }
      if (shown === 0 && !options.json) io.out('no sampled searches\n');
    });
}

function samplingText({ alias, share, keep, searches, oldest }: Sampling): string {
  const there = searches === 0 ? 'none are kept now' : `${searches} are kept now, since ${oldest}`;
  if (share === 0) return `${alias} samples no searches; ${there}`;
  return `${alias} keeps a share of ${share} of its searches by text for ${keep}; ${there}`;
}
