import { type Command, Option } from 'commander';
import type { ExportedObject } from '../../contract/export.ts';
import { importedItem } from '../../contract/import.ts';
import type { IndexInfo } from '../../contract/indexes.ts';
import type { OnReindex } from '../../contract/task-bodies.ts';
import { type OpenTable, openForeignTable } from '../../runtime/foreign-table.ts';
import { examples } from '../arguments.ts';
import { UsageError } from '../errors.ts';
import type { Io } from '../output.ts';
import { createSending } from '../progress.ts';
import { readExported } from '../read-exported.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { followTask, writeAccepted } from '../task-output.ts';
import { Reservoir, SAMPLED_TEXTS, type VectorSample, verifyVectors } from '../verify-vectors.ts';

interface ImportOptions extends RemoteOptions {
  index: string;
  taskId?: string;
  onReindex?: OnReindex;
  wait?: boolean;
  verify: boolean;
  table?: string;
  databaseEnv: string;
  collection?: string;
  idColumn?: string;
  textColumn?: string;
  vectorColumn?: string;
  metadataColumn?: string;
}

/** Items to write, and what their vectors are verified by. */
interface Source {
  sample(): Promise<readonly VectorSample[]>;
  items(): Promise<AsyncIterable<object>>;
  close(): Promise<void>;
}

/** Adds `reembed import`. */
export function addImportCommand(program: Command, io: Io): void {
  remote(program.command('import [file]'))
    .summary('write objects with their vectors')
    .description(
      'Writes objects with their vectors into an index of the same model that allows ready vectors: those of a file of ' +
        '`reembed export`, lines or Parquet (`-`: lines of the standard input), or the rows of a pgvector table of LangChain, LlamaIndex or pgai, ' +
        'or of any table whose columns are named. Some texts are embedded again first, and other vectors refused. ' +
        'Apart from that, the model is called only for exported objects that had failed. A bad line is named, and ' +
        'nothing is written.',
    )
    .requiredOption('--index <index>', 'name of an index or an alias')
    .option('--no-verify', 'do not embed some texts again, to see that the vectors are of this model')
    .option('--table <name>', 'a table with vectors, in place of a file')
    .option('--database-env <variable>', 'variable with the postgres:// address of its database', 'DATABASE_URL')
    .option('--collection <name>', "collection of LangChain's table")
    .option('--id-column <name>', 'column with the ids')
    .option('--text-column <name>', 'column with the texts')
    .option('--vector-column <name>', 'column with the vectors')
    .option('--metadata-column <name>', 'column with metadata, as JSON')
    .option('--task-id <id>', 'id of the task; the same id with the same input is the same task')
    .addOption(
      new Option(
        '--on-reindex <choice>',
        'while the index is being rebuilt: also write to the new one, wait, or refuse',
      ).choices(['forward', 'wait', 'refuse']),
    )
    .option('--wait', 'wait until the task ends')
    .addHelpText(
      'after',
      examples(
        'reembed import docs.ndjson --index docs-copy --wait',
        'reembed import docs.parquet --index docs-copy --wait',
        'reembed import --table langchain_pg_embedding --index docs --wait',
        'reembed import --table chunks --id-column id --text-column body --vector-column embedding --index docs',
      ),
    )
    .action(async (file: string | undefined, options: ImportOptions) => {
      if ((file === undefined) === (options.table === undefined)) throw new UsageError('give either a file or --table');
      const client = clientFrom(io, options);
      const { index, taskId, onReindex } = options;
      const info = await client.indexes.get(index);
      if (!info.readyVectors) {
        throw new UsageError(
          `${info.name} takes no vectors: create it with --ready-vectors, and the model of the vectors`,
        );
      }
      const sending = createSending(io);
      const source =
        file === undefined ? await tableSource(io, options, info) : fileSource(io, file, info, sending.show);
      try {
        if (options.verify) await verifyVectors(io, client, info.name, await source.sample());
        const tracker = await client.tasks
          .upsertStream(index, (await source.items()) as never, { taskId, onReindex })
          .finally(sending.end);
        if (options.wait) await followTask(io, client, tracker.id, options);
        else writeAccepted(io, options.json, tracker);
      } finally {
        await source.close();
      }
    });
}

function fileSource(io: Io, file: string, info: IndexInfo, show: (bytes: number, all: number) => void): Source {
  return {
    async sample() {
      if (file === '-') throw new UsageError('the standard input is read once: give a file, or --no-verify');
      const chosen = new Reservoir<VectorSample>();
      for await (const { id, parts } of await readExported(file, io)) {
        for (const { text, vector } of parts) if (text?.trim()) chosen.add({ id, text, vector });
      }
      return chosen.kept;
    },
    async items() {
      return itemsOf(await readExported(file, io, show), info);
    },
    async close() {},
  };
}

async function* itemsOf(objects: AsyncIterable<ExportedObject>, info: IndexInfo) {
  for await (const object of objects) yield importedItem(object, info);
}

async function tableSource(io: Io, options: ImportOptions, info: IndexInfo): Promise<Source> {
  const { table = '', databaseEnv, collection } = options;
  const { idColumn: id, textColumn: text, vectorColumn: vector, metadataColumn: metadata } = options;
  const columns = { id, text, vector, metadata };
  const open = await openForeignTable({ table, databaseEnv, collection, columns }, io.env);
  try {
    requireFitting(open, table, info);
  } catch (error) {
    await open.close();
    throw error;
  }
  if (open.withoutVector > 0) io.err(`left out: ${open.withoutVector} of ${open.rows} rows without a vector\n`);
  return {
    async sample() {
      const rows = await open.sample(SAMPLED_TEXTS);
      return rows.map(({ id, text: own, vector: made }) => ({ id, text: own ?? '', vector: made }));
    },
    items: async () => rowsOf(open),
    close: () => open.close(),
  };
}

function requireFitting({ dimensions, rows, withoutVector }: OpenTable, table: string, info: IndexInfo): void {
  const wanted = info.model.dimensions;
  if (rows === withoutVector) throw new UsageError(`${table} has no rows with a vector`);
  if (info.versioning === 'external') {
    throw new UsageError(`${info.name} has external versioning, and the rows of ${table} have no versions`);
  }
  if (dimensions === wanted) return;
  throw new UsageError(
    `the vectors of ${table} have ${dimensions} dimensions, and the model of ${info.name} ${wanted}`,
  );
}

async function* rowsOf(table: OpenTable) {
  for await (const { id, text, metadata, vector } of table.read()) {
    yield { id, metadata: metadata ?? {}, parts: [text?.trim() ? { text, vector } : { vector }] };
  }
}
