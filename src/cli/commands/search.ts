import { type Command, Option } from 'commander';
import type { SearchInput } from '../../client/indexes.ts';
import type { Filter } from '../../contract/filters.ts';
import type { Hit, Search, SearchResult } from '../../contract/objects.ts';
import { anyNumber, examples, json, several, wholeNumber } from '../arguments.ts';
import { EXIT, Exit, UsageError } from '../errors.ts';
import { withSearchMode } from '../full-text-options.ts';
import { type Io, table, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { contentText } from './hit-text.ts';
import { manyText } from './search-many.ts';

interface SearchOptions {
  limit?: number;
  offset?: number;
  fields?: string;
  minScore?: number;
  group?: 'object' | 'part';
  like?: string;
  also?: string[];
  filter?: unknown;
  exact?: boolean;
  ef?: number;
  timeout?: number;
  canary?: string;
  after?: string;
  mode?: Search['mode'];
  language?: Search['language'];
  allowDegraded?: boolean;
}

/** Adds `reembed search`. */
export function addSearchCommand(program: Command, io: Io): void {
  withSearchMode(remote(program.command('search <index> [text]')))
    .summary('find similar objects')
    .description(
      'Finds the objects of an index or alias that are most similar to a text or, with --like, to one of them.',
    )
    .option('--limit <count>', 'maximum hits', wholeNumber)
    .option('--offset <count>', 'hits to skip; 0 for the first of several pages', wholeNumber)
    .option('--like <id>', 'object to find others near to, instead of a text')
    .option('--min-score <score>', 'only hits with at least this score', anyNumber)
    .addOption(new Option('--group <group>', 'what a hit is').choices(['object', 'part']))
    .option('--fields <list>', 'what hits return: payload, metadata, text, or paths such as payload.title')
    .option('--also <index>', 'further index to search; the hits are merged by rank; repeatable', several)
    .option('--filter <json>', 'only objects whose metadata passes this filter', json)
    .option('--exact', 'compare all parts, without the HNSW index')
    .option('--ef <width>', 'width of the search in the HNSW index, up to 1000', wholeNumber)
    .option('--timeout <seconds>', 'timeout of the search, including the model call', Number)
    .option('--after <task>', 'write that the search must find: the id of its upsert or delete')
    .option('--canary <key>', 'during a canary: new, old, or a key such as the id of a user that decides')
    .addHelpText(
      'after',
      examples(
        'reembed search docs "large cats"',
        'reembed search docs "error E1042" --mode hybrid',
        `reembed search docs cats --limit 3 --filter '{"lang":"en"}'`,
        `reembed search docs cats --filter '{"year":{"gte":2020},"lang":{"in":["de","en"]}}'`,
      ),
    )
    .action(async (index: string, text: string | undefined, options: RemoteOptions & SearchOptions) => {
      const request = requestOf(text, options);
      const { json, canary, also } = options;
      const client = clientFrom(io, options);
      if (also === undefined) {
        const found = await client.search(index, request, { canary });
        writeResult(io, json, found, () => {
          if (found.degraded) io.err('degraded: the model does not answer, so only words were compared\n');
          return searchText(found);
        });
        return;
      }
      const { id, offset, minScore, after, text: asked, ...rest } = request;
      if ([offset, minScore, after].some((given) => given !== undefined) || asked === undefined) {
        throw new UsageError('--also needs a text, and goes without --offset, --min-score and --after');
      }
      const found = await client.searchMany({ ...rest, text: asked, indexes: [index, ...also] }, { canary });
      writeResult(io, json, found, () => manyText(found));
      if (found.indexes.some((each) => 'problem' in each)) throw new Exit(EXIT.failed);
    });
}

function requestOf(text: string | undefined, options: SearchOptions): SearchInput {
  if ((text === undefined) === (options.like === undefined)) throw new UsageError('give either a text or --like');
  const filter = options.filter as Filter | undefined;
  const { limit, offset, minScore, group, exact, ef, like: id, mode, language, allowDegraded, after } = options;
  const fields = options.fields?.split(',').map((field) => field.trim());
  const ranking = { limit, offset, minScore, group, filter, exact, ef, mode, language, allowDegraded };
  return { text, id, ...ranking, fields, after, timeoutSeconds: options.timeout };
}

function searchText(found: SearchResult): string {
  const hits = table(
    found.hits,
    [
      { title: 'SCORE', value: (hit) => hit.score.toFixed(4), right: true },
      { title: 'ID', value: (hit) => hit.id },
      { title: 'PART', value: (hit) => hit.part ?? 'all', right: true },
      { title: showsPayload(found.hits) ? 'PAYLOAD' : 'TEXT', value: contentText },
    ],
    found.reason === 'no-known-words'
      ? 'nothing found: the model knows no word of the text'
      : `nothing found in ${found.index}`,
  );
  return found.complete ? hits : `${hits}\nincomplete: the search timed out before all parts were compared`;
}

/** Without payloads, the texts that matched are shown. */
function showsPayload(hits: readonly Hit[]): boolean {
  return hits.length === 0 || hits.some(({ payload }) => payload !== undefined);
}
