import type { Command } from 'commander';
import type { Filter } from '../../contract/filters.ts';
import type { Missing, QuerySetInfo, QuerySetSaved } from '../../contract/query-sets.ts';
import { percentText } from '../../contract/texts.ts';
import { anyNumber, examples, json, several, wholeNumber } from '../arguments.ts';
import { UsageError } from '../errors.ts';
import { fields, type Io, jsonLine, oneLine, table, writeResult } from '../output.ts';
import { readQueries } from '../read-queries.ts';
import { clientFrom, type RemoteOptions, remote, tellUnavailable } from '../remote.ts';

interface ImportOptions extends RemoteOptions {
  qrels?: string;
  check?: string;
  database?: string;
  maxMissing?: number;
}

interface KnownItemOptions extends RemoteOptions {
  queries?: number;
  seed?: number;
  filter?: unknown;
  field?: string[];
}

interface SampleOptions extends RemoteOptions {
  alias: string;
  count?: number;
  seed?: number;
}

/** Adds `reembed queries …`. */
export function addQueryCommands(program: Command, io: Io): void {
  const group = program
    .command('queries')
    .summary('manage query sets for evaluations')
    .description('Manages query sets: queries, with or without judgments, by which two indexes are compared.');

  remote(group.command('import <set> <file>'))
    .summary('create a query set from a file, or replace its queries')
    .description(
      'Reads queries from FILE: one JSON object per line with id, text and, if judged, relevant; the queries.jsonl of ' +
        'BEIR; or a .tsv file with an id and a text per line. Judgments may be in a file of their own.',
    )
    .option('--qrels <file>', 'judgments as TREC qrels, or as those of BEIR')
    .option('--check <index>', 'index or alias that should have the judged objects')
    .option('--database <name>', 'database of the indexes that it is for; default: that of --check, or main')
    .option('--max-missing <share>', 'maximum share of judgments for missing objects; default: 0.1', anyNumber)
    .addHelpText(
      'after',
      examples(
        'reembed queries import support support.jsonl --check docs',
        'reembed queries import nq nq/queries.jsonl --qrels nq/qrels/test.tsv',
      ),
    )
    .action(async (name: string, file: string, options: ImportOptions) => {
      if (options.maxMissing !== undefined && options.check === undefined) {
        throw new UsageError('--max-missing requires --check');
      }
      const queries = await readQueries(io, file, options.qrels);
      const saved = await clientFrom(io, options).querySets.save(name, {
        queries,
        checkIndex: options.check,
        maxMissing: options.maxMissing,
        database: options.database,
      });
      writeResult(io, options.json, saved, () => savedText(saved));
    });

  remote(group.command('known-item <set> <index>'))
    .summary('make a query set from the objects of an index')
    .description(
      'Takes one sentence of an object as the query, and the object as its answer. The same seed and objects make the ' +
        'same queries.',
    )
    .option('--queries <count>', 'maximum queries; default: 200', wholeNumber)
    .option('--seed <number>', 'seed by which objects and sentences are picked; default: 1', wholeNumber)
    .option('--filter <json>', 'only objects whose metadata passes this filter', json)
    .option('--field <name>', 'metadata field to copy to the query, for breakdowns; repeatable', several)
    .addHelpText('after', examples('reembed queries known-item probe docs --queries 500 --field lang'))
    .action(async (name: string, index: string, { queries, seed, filter, field, ...options }: KnownItemOptions) => {
      const knownItem = { index, queries, seed, filter: filter as Filter | undefined, metadataFields: field };
      const saved = await clientFrom(io, options).querySets.save(name, { knownItem });
      writeResult(io, options.json, saved, () => savedText(saved));
    });

  remote(group.command('sample <set>'))
    .summary('make a query set from the sampled searches of an alias')
    .description(
      'Takes the different texts among the searches that `reembed alias sampling` keeps, without judgments: the most ' +
        'recent ones or, with --seed, random ones. Needs the role queries.',
    )
    .requiredOption('--alias <alias>', 'alias whose sampled searches to use')
    .option('--count <count>', 'maximum queries; default: 200', wholeNumber)
    .option('--seed <number>', 'pick texts at random: the same seed and searches make the same set', wholeNumber)
    .addHelpText('after', examples('reembed queries sample live --alias docs --count 500 --seed 7'))
    .action(async (name: string, { alias, count, seed, ...options }: SampleOptions) => {
      const saved = await clientFrom(io, options).querySets.sample(name, { alias, count, seed });
      writeResult(io, options.json, saved, () => savedText({ ...saved, missing: null }));
    });

  remote(group.command('list'))
    .summary('list all query sets')
    .description('Lists all query sets, with their numbers of queries and judgments.')
    .addHelpText('after', examples('reembed queries list'))
    .action(async (options: RemoteOptions) => {
      const querySets = await clientFrom(io, options).querySets.list(tellUnavailable(io));
      writeResult(io, options.json, { querySets }, () =>
        table(
          querySets,
          [
            { title: 'QUERY SET', value: (row) => row.name },
            { title: 'QUERIES', value: (row) => row.queries, right: true },
            { title: 'JUDGED', value: (row) => row.judged, right: true },
            { title: 'JUDGMENTS', value: (row) => row.judgments, right: true },
            { title: 'MADE FROM', value: (row) => row.knownItem?.index ?? row.sampled?.alias },
            { title: 'UPDATED', value: (row) => row.updateTime },
          ],
          'no query sets',
        ),
      );
    });

  remote(group.command('show <set>'))
    .summary('show a query set and its queries')
    .description('Shows a query set and its first queries; with --all or --json, all of them.')
    .option('--all', 'show all queries')
    .addHelpText('after', examples('reembed queries show support', 'reembed queries show support --json'))
    .action(async (name: string, options: RemoteOptions & { all?: boolean }) => {
      const { querySets } = clientFrom(io, options);
      const info = await querySets.get(name);
      if (!options.json) io.out(`${infoText(info)}\n\n`);
      let shown = 0;
      for await (const query of querySets.queries(name)) {
        if (options.json) io.out(`${jsonLine(query)}\n`);
        else
          io.out(
            oneLine(`${query.id}  ${query.text.slice(0, 100)}  (${query.relevant.length} judgments)`).concat('\n'),
          );
        if (!options.all && !options.json && ++shown === 10) break;
      }
      if (!options.all && !options.json && info.queries > shown) io.out(`… ${info.queries - shown} more: --all\n`);
    });

  remote(group.command('delete <set>'))
    .summary('delete a query set')
    .description('Deletes a query set; reports of evaluations are kept.')
    .addHelpText('after', examples('reembed queries delete support'))
    .action(async (name: string, options: RemoteOptions) => {
      await clientFrom(io, options).querySets.delete(name);
      writeResult(io, options.json, { querySet: name, deleted: true }, () => `query set ${name} deleted`);
    });
}

function infoText(info: QuerySetInfo): string {
  return fields([
    ['query set', info.name],
    ['queries', `${info.queries}, ${info.judged} of them with a relevant object`],
    ['judgments', info.judgments],
    ['made from', originText(info)],
    ['bytes', info.bytes],
    ['created', info.createTime],
    ['updated', info.updateTime],
  ]);
}

function originText({ knownItem, sampled }: QuerySetInfo): string | null {
  if (knownItem) return `${knownItem.index}, seed ${knownItem.seed}`;
  if (!sampled) return null;
  return `searches by ${sampled.alias}, ${sampled.seed === null ? 'the most recent' : `seed ${sampled.seed}`}`;
}

function savedText({ missing, ...info }: QuerySetSaved): string {
  return `query set ${info.name} is ready: ${info.queries} queries, ${info.judged} of them judged${missing ? missingText(missing) : ''}`;
}

/** Describes judgments without an object, for the end of a sentence. */
export function missingText({ judgments, share, examples: some }: Missing): string {
  if (judgments === 0) return '; all judged objects exist';
  const ids = some.slice(0, 5).map(({ id }) => id);
  return `; ${judgments} judgments (${percentText(share)}) are for objects that do not exist, for instance ${ids.join(', ')}`;
}
