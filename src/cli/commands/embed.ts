import { type Command, Option } from 'commander';
import type { EmbedRequest } from '../../contract/embed.ts';
import { examples } from '../arguments.ts';
import { type Io, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';

interface EmbedOptions {
  purpose?: EmbedRequest['purpose'];
  timeout?: number;
}

/** Adds `reembed embed`. */
export function addEmbedCommand(program: Command, io: Io): void {
  remote(program.command('embed <index> <texts...>'))
    .summary('embed texts with the model of an index')
    .description(
      'Embeds texts with the model of an index or alias and prints each vector on a line, as pgvector reads it. The line ' +
        'is empty for a text of which the model knows no word.',
    )
    .addOption(new Option('--purpose <purpose>', 'what the vectors are for').choices(['query', 'document']))
    .option('--timeout <seconds>', 'timeout of the call', Number)
    .addHelpText(
      'after',
      examples('reembed embed docs "large cats"', 'reembed embed docs cats dogs --purpose document'),
    )
    .action(async (index: string, texts: string[], options: RemoteOptions & EmbedOptions) => {
      const { purpose, timeout: timeoutSeconds } = options;
      const result = await clientFrom(io, options).embed({ index, texts, purpose, timeoutSeconds });
      writeResult(io, options.json, result, () =>
        result.vectors.map((vector) => `${vector ? JSON.stringify(vector) : ''}\n`).join(''),
      );
    });
}
