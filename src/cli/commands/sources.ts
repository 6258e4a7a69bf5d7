import type { Command } from 'commander';
import type { Filter } from '../../contract/filters.ts';
import { type SourceDefinitionInput, type SourceInfo, tableOf } from '../../contract/sources.ts';
import { examples, json, several } from '../arguments.ts';
import { UsageError } from '../errors.ts';
import { fields, type Io, table, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote, tellUnavailable } from '../remote.ts';
import { addFollowingCommands } from './source-following.ts';

interface AddOptions extends RemoteOptions {
  index: string;
  key?: string[];
  text?: string[];
  template?: string;
  uriColumn?: string;
  metadata?: string[];
  where?: unknown;
  poll?: string;
  connectionEnv?: string;
  plan?: boolean;
}

/** `reembed sources …` */
export function addSourceCommands(program: Command, io: Io): void {
  const group = program
    .command('sources')
    .summary('let indexes follow tables')
    .description('Manages sources: tables of a Postgres database that indexes follow.');

  addAddCommand(group, io);

  remote(group.command('list'))
    .summary('list all sources')
    .description('Lists all sources, with their state and the changes that are not in the index yet.')
    .addHelpText('after', examples('reembed sources list'))
    .action(async (options: RemoteOptions) => {
      const sources = await clientFrom(io, options).sources.list(tellUnavailable(io));
      writeResult(io, options.json, { sources }, () =>
        table(
          sources,
          [
            { title: 'SOURCE', value: (row) => row.name },
            { title: 'TABLE', value: tableText },
            { title: 'INDEX', value: (row) => row.definition.index },
            { title: 'STATE', value: (row) => row.state },
            { title: 'BACKLOG', value: (row) => row.backlog?.changes, right: true },
            { title: 'REASON', value: (row) => row.reason },
          ],
          'no sources',
        ),
      );
    });

  remote(group.command('get <table-source>'))
    .summary('show a source')
    .description('Shows the definition of a source, its state with the reason, and its backlog.')
    .addHelpText('after', examples('reembed sources get articles'))
    .action(async (name: string, options: RemoteOptions) => {
      const source = await clientFrom(io, options).sources.get(name);
      writeResult(io, options.json, source, () => sourceText(source));
    });

  addFollowingCommands(group, io);

  remote(group.command('remove <table-source>'))
    .summary('remove a source and its triggers')
    .description(
      'Removes a source with its triggers and its recorded changes; the objects stay in the index. With --force also ' +
        'if the database of the table does not answer: then prints the statements that remain to be run there.',
    )
    .option('--force', "forget the source even if the table's database does not answer")
    .addHelpText('after', examples('reembed sources remove articles'))
    .action(async (name: string, { force, ...options }: RemoteOptions & { force?: boolean }) => {
      const { sql } = await clientFrom(io, options).sources.delete(name, { force });
      const remaining = sql.length === 0 ? '' : `, these statements remain to be run:\n${sqlText(sql)}`;
      writeResult(io, options.json, { source: name, deleted: true, sql }, () => `source ${name} removed${remaining}`);
    });
}

function addAddCommand(group: Command, io: Io): void {
  remote(group.command('add <table-source> <table>'))
    .summary('let an index follow a table, or change what it takes')
    .description(
      'Lets an index follow a table, given as TABLE or SCHEMA.TABLE. All is checked first; with --plan, nothing else is ' +
        'done, and the SQL is printed. For a source that exists, replaces what it takes from the table.',
    )
    .requiredOption('--index <index>', 'index or alias that follows the table')
    .option('--text <column>', 'column to embed; repeatable, joined by empty lines', several)
    .option('--template <text>', 'text to embed instead, with columns in braces')
    .option('--uri-column <column>', 'column with the address of the content, instead of its text')
    .option('--metadata <column>', 'column to filter searches by; repeatable', several)
    .option('--where <json>', 'only rows that pass this filter over columns', json)
    .option('--key <column>', 'column that identifies a row; repeatable; default: the primary key', several)
    .option('--poll <column>', 'no triggers: read this column with the time of the last change')
    .option('--connection-env <variable>', "environment variable of the API and the workers with the table's database")
    .option('--plan', 'check only, and print the SQL that would run')
    .addHelpText(
      'after',
      examples(
        'reembed sources add articles public.articles --index docs --text title --text body --plan',
        'reembed sources add shop products --index shop --template "{name}: {about}" --metadata price --where \'{"sold": false}\'',
      ),
    )
    .action(async (name: string, tableName: string, options: AddOptions) => {
      const definition = definitionFrom(tableName, options);
      const { sources } = clientFrom(io, options);
      if (options.plan) {
        const plan = await sources.plan(name, definition);
        writeResult(io, options.json, plan, () => sqlText(plan.sql));
        return;
      }
      const source = await sources.save(name, definition);
      writeResult(
        io,
        options.json,
        source,
        () => `${sourceText(source)}\nthe task ${source.syncTaskId} syncs all rows`,
      );
    });
}

function definitionFrom(tableName: string, options: AddOptions): SourceDefinitionInput {
  const { index, key, text, template, uriColumn, metadata, where, poll, connectionEnv } = options;
  if (text !== undefined && template !== undefined) throw new UsageError('use either --text or --template');
  return {
    index,
    table: tableName,
    connectionEnv,
    key,
    text: template === undefined ? text : { template },
    uriColumn,
    metadata,
    where: where as Filter | undefined,
    ...(poll !== undefined && { follow: 'poll' as const, updatedAt: poll }),
  };
}

const tableText = ({ definition }: SourceInfo) => Object.values(tableOf(definition)).join('.');

const sqlText = (statements: readonly string[]) => statements.map((statement) => `${statement};`).join('\n\n');

function sourceText(source: SourceInfo): string {
  const { definition, backlog } = source;
  const { text, uriColumn, metadata, where, connectionEnv, updatedAt } = definition;
  const behind =
    backlog && `${backlog.changes} changes${backlog.seconds ? `, oldest ${Math.round(backlog.seconds)} s` : ''}`;
  return fields([
    ['source', source.name],
    ['index', definition.index],
    ['table', tableText(source)],
    ['database', connectionEnv],
    ['key', source.key.join(', ')],
    ['text', Array.isArray(text) ? text.join(', ') : (text?.template ?? uriColumn)],
    ['metadata', metadata.join(', ') || undefined],
    ['where', where && JSON.stringify(where)],
    ['polls', updatedAt],
    ['state', `${source.state}, since ${source.stateTime}`],
    ['reason', source.reason],
    ['backlog', behind],
  ]);
}
