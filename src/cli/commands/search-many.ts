import type { Command } from 'commander';
import type { SearchInput } from '../../client/indexes.ts';
import { LIMITS } from '../../contract/limits.ts';
import type { SearchBatchResult, SearchManyResult } from '../../contract/search-many.ts';
import { examples } from '../arguments.ts';
import { EXIT, Exit, UsageError } from '../errors.ts';
import { type Io, table, writeResult } from '../output.ts';
import { readItems } from '../read-items.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';
import { contentText } from './hit-text.ts';

/** Adds `reembed search-batch`. */
export function addSearchBatchCommand(program: Command, io: Io): void {
  remote(program.command('search-batch <index> <file>'))
    .summary('run several searches in one call')
    .description(
      `Runs the searches of a file, one JSON object per line, as the API takes them; - reads the standard input. At most ` +
        `${LIMITS.searchesPerBatch}. The exit code is 1 if one of them failed.`,
    )
    .option('--canary <key>', 'during a canary: new, old, or a key such as the id of a user that decides')
    .addHelpText('after', examples(`echo '{"text": "large cats", "limit": 3}' | reembed search-batch docs -`))
    .action(async (index: string, file: string, options: RemoteOptions & { canary?: string }) => {
      const searches = await readSearches(io, file);
      const results = await clientFrom(io, options).searchBatch(index, searches, { canary: options.canary });
      writeResult(io, options.json, { results }, () => batchText(results));
      if (results.some((result) => 'problem' in result)) throw new Exit(EXIT.failed);
    });
}

async function readSearches(io: Io, file: string): Promise<SearchInput[]> {
  const searches: SearchInput[] = [];
  for await (const search of await readItems(file, io)) {
    searches.push(search as unknown as SearchInput);
    if (searches.length > LIMITS.searchesPerBatch) {
      throw new UsageError(`${file} has more than ${LIMITS.searchesPerBatch} searches`);
    }
  }
  if (searches.length === 0) throw new UsageError(`${file} has no searches`);
  return searches;
}

function batchText(results: SearchBatchResult['results']): string {
  const rows = results.flatMap((result, at) => {
    if ('problem' in result) return [{ at, score: '', id: '', content: `failed: ${result.problem.detail}` }];
    if (result.hits.length === 0) return [{ at, score: '', id: '', content: 'nothing found' }];
    return result.hits.map((hit) => ({ at, score: hit.score.toFixed(4), id: hit.id, content: contentText(hit) }));
  });
  return table(
    rows,
    [
      { title: 'SEARCH', value: ({ at }) => at + 1, right: true },
      { title: 'SCORE', value: ({ score }) => score, right: true },
      { title: 'ID', value: ({ id }) => id },
      { title: 'CONTENT', value: ({ content }) => content },
    ],
    'nothing found',
  );
}

/** Formats the merged hits of several indexes, and what is missing. */
export function manyText({ hits, indexes }: SearchManyResult): string {
  const found = table(
    hits,
    [
      { title: 'RANK', value: ({ rank }) => rank, right: true },
      { title: 'INDEX', value: ({ index }) => index },
      { title: 'SCORE', value: ({ score }) => score.toFixed(4), right: true },
      { title: 'ID', value: ({ id }) => id },
      { title: 'CONTENT', value: contentText },
    ],
    'nothing found',
  );
  const missing = indexes.flatMap((index) => {
    if ('problem' in index) return [`${index.name} is missing: ${index.problem.detail}`];
    return index.complete ? [] : [`${index.name} is incomplete: the search timed out before all parts were compared`];
  });
  return [found, ...missing].join('\n');
}
