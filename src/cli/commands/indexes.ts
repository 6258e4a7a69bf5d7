import { type Command, Option } from 'commander';
import type { CreatedIndex, IndexConfigInput, IndexInfo } from '../../contract/indexes.ts';
import { FORMATS, partsText, type TextFormat } from '../../contract/splitter.ts';
import { examples, type ModelOptions, modelFrom, several, wholeNumber, withModel } from '../arguments.ts';
import { UsageError } from '../errors.ts';
import { type FullTextOptions, fullTextFrom, withFullText } from '../full-text-options.ts';
import { fields, type Io, table, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote, tellUnavailable } from '../remote.ts';
import { followTask, writeAccepted } from '../task-output.ts';
import { type VectorIndexOptions, vectorIndexFrom, withVectorIndex } from '../vector-index-options.ts';
import { addPatchCommand } from './patch-index.ts';

interface CreateOptions extends RemoteOptions, ModelOptions, FullTextOptions, VectorIndexOptions {
  metric?: IndexConfigInput['metric'];
  versioning?: IndexConfigInput['versioning'];
  average?: boolean;
  chunkSize?: number;
  chunkOverlap?: number;
  chunkTokens?: number;
  overlapTokens?: number;
  tokenizer?: string;
  format?: TextFormat;
  formatField?: string;
  field?: string[];
  readyVectors?: boolean;
  database?: string;
}

/** Adds `reembed index …`. */
export function addIndexCommands(program: Command, io: Io): void {
  const group = program
    .command('index')
    .summary('create, list, show, change and delete indexes')
    .description('Manages indexes: objects and their vectors, embedded by one model.');

  withVectorIndex(withFullText(remote(withModel(group.command('create <index>')))))
    .summary('create an index')
    .description(
      'Creates an index. If it exists with the same settings, nothing changes; different settings are an error.',
    )
    .addOption(new Option('--metric <metric>', 'similarity of vectors').choices(['cosine', 'l2', 'ip']))
    .option('--average', "also store the average vector of an object's parts")
    .addOption(
      new Option('--versioning <by>', 'source of the version numbers of writes').choices(['internal', 'external']),
    )
    .option('--ready-vectors', 'let objects have parts with vectors that the model has made elsewhere')
    .option('--database <name>', 'database that holds the index, of REEMBED_DATABASES; default: main')
    .option('--chunk-size <count>', 'maximum characters of one part', wholeNumber)
    .option('--chunk-overlap <count>', 'characters that a part shares with the previous part', wholeNumber)
    .option('--chunk-tokens <count>', 'maximum tokens of one part, in place of --chunk-size', wholeNumber)
    .option('--overlap-tokens <count>', 'tokens that a part shares with the previous part', wholeNumber)
    .option('--tokenizer <name>', 'what counts tokens: cl100k_base, estimate, or a file in REEMBED_TOKENIZER_DIR')
    .addOption(new Option('--format <format>', 'how --chunk-tokens finds places to cut').choices(FORMATS))
    .option('--format-field <field>', 'field of the metadata that names the format of an object')
    .option('--field <path>', 'text field of a JSON payload to embed; repeatable', several)
    .addHelpText(
      'after',
      examples(
        'reembed index create docs --provider words',
        'reembed index create docs-v2 --provider openai --name text-embedding-3-small',
        'reembed index create docs --provider local --vector-index bit --storage halfvec',
        'reembed index create docs-v3 --provider voyage --name voyage-4-large --query-model voyage-4-lite',
        'reembed index create docs --provider openai --name bge-m3 --dimensions 1024 --base-url http://127.0.0.1:8080/v1 --chunk-tokens 460 --overlap-tokens 50 --format markdown',
        `reembed index create docs --model '{"provider":"hash","dimensions":64}' --field title --field body`,
      ),
    )
    .action(async (index: string, options: CreateOptions) => {
      const model = modelFrom(options);
      if (!model)
        throw new UsageError('specify the model: --provider words, or --provider openai --name text-embedding-3-small');
      const { field, metric, average, versioning, readyVectors } = options;
      const { chunkSize, chunkOverlap, chunkTokens, overlapTokens, tokenizer, format, formatField } = options;
      const sizes = { chunkSize, chunkOverlap, chunkTokens, overlapTokens };
      const splitter = { ...sizes, tokenizer, format, formatField, fields: field };
      const info = await clientFrom(io, options).indexes.create(index, {
        model,
        metric,
        average,
        versioning,
        splitter,
        fullText: fullTextFrom(options) ?? undefined,
        readyVectors,
        storage: options.storage,
        vectorIndex: vectorIndexFrom(options) ?? undefined,
        database: options.database,
      });
      writeResult(
        io,
        options.json,
        info,
        () => `index ${info.name} is ready\n\n${indexText(info)}${filledInText(info)}`,
      );
    });

  remote(group.command('list'))
    .summary('list all indexes')
    .description('Lists all indexes, with their models, counts and aliases.')
    .addHelpText('after', examples('reembed index list', 'reembed index list --json'))
    .action(async (options: RemoteOptions) => {
      const indexes = await clientFrom(io, options).indexes.list(tellUnavailable(io));
      writeResult(io, options.json, { indexes }, () =>
        table(
          indexes,
          [
            { title: 'INDEX', value: (row) => row.name },
            { title: 'MODEL', value: modelText },
            { title: 'OBJECTS', value: (row) => row.objects, right: true },
            { title: 'PARTS', value: (row) => row.parts, right: true },
            { title: 'FAILED', value: (row) => row.failed, right: true },
            { title: 'STATE', value: stateText },
            { title: 'ALIASES', value: (row) => row.aliases.join(', ') },
            ...(indexes.some(({ database }) => database !== undefined)
              ? [{ title: 'DATABASE', value: (row: IndexInfo) => row.database ?? '' }]
              : []),
          ],
          'no indexes',
        ),
      );
    });

  remote(group.command('show <index>'))
    .summary('show an index')
    .description('Shows an index, by name or by alias.')
    .addHelpText('after', examples('reembed index show docs'))
    .action(async (index: string, options: RemoteOptions) => {
      const info = await clientFrom(io, options).indexes.get(index);
      writeResult(io, options.json, info, () => indexText(info));
    });

  addPatchCommand(group, io);

  remote(group.command('delete <index>'))
    .summary('delete an index')
    .description('Starts a task that deletes an index with all its objects.')
    .option('--force', 'delete it even if an alias points to it; the alias is deleted too')
    .option('--task-id <id>', 'id of the task; default: a generated id')
    .option('--wait', 'wait until it is deleted')
    .addHelpText('after', examples('reembed index delete docs --wait'))
    .action(async (index: string, options: RemoteOptions & { force?: boolean; taskId?: string; wait?: boolean }) => {
      const client = clientFrom(io, options);
      const tracker = await client.indexes.delete(index, { force: options.force, taskId: options.taskId });
      if (options.wait) await followTask(io, client, tracker.id, options);
      else writeAccepted(io, options.json, tracker);
    });
}

function modelText({ model }: IndexInfo): string {
  return `${model.provider}/${model.name} (${model.dimensions})`;
}

function stateText({ state, lock }: IndexInfo): string {
  return lock ? `${state}, ${lock.source} → ${lock.dest}` : state;
}

function filledInText({ model, modelDefaults }: CreatedIndex): string {
  if (modelDefaults === null) return '';
  const values = Object.entries(model).filter(([field]) => modelDefaults.fields.includes(field));
  const given = values.map(([field, value]) => `${field} ${JSON.stringify(value)}`).join(', ');
  return `\nfilled in as known of the model: ${given} (${modelDefaults.source})`;
}

function wordsText({ fullText }: IndexInfo): string | null {
  if (!fullText) return null;
  const { language, languageField } = fullText;
  return languageField === undefined ? language : `by the field ${languageField}, otherwise ${language}`;
}

function indexText(info: IndexInfo): string {
  const { splitter, lock } = info;
  return fields([
    ['index', info.name],
    ['state', info.state],
    ['model', modelText(info)],
    ['metric', info.metric],
    ['search', info.description],
    ['storage', info.storage === 'halfvec' ? 'half precision' : 'full precision'],
    ['parts of', partsText(splitter)],
    ['tokenizer', splitter.tokenizer],
    ['fields', splitter.fields?.join(', ')],
    ['words', wordsText(info)],
    ['versioning', info.versioning],
    ['ready vectors', info.readyVectors ? 'allowed' : null],
    ['objects', `${info.objects}, ${info.failed} of them failed`],
    ['parts', info.parts],
    ['tombstones', info.tombstones],
    ['size', `${(info.bytes / 1_048_576).toFixed(1)} MB`],
    ['aliases', info.aliases.join(', ')],
    [
      'reindex',
      lock ? `${lock.source} → ${lock.dest} by task ${lock.taskId}, lock until ${lock.lockExpireTime}` : null,
    ],
    ['database', info.database],
    ['created', info.createTime],
  ]);
}
