import type { Command } from 'commander';
import type { Filter } from '../../contract/filters.ts';
import type { Hit, Search } from '../../contract/objects.ts';
import { examples, json, wholeNumber } from '../arguments.ts';
import { withSearchMode } from '../full-text-options.ts';
import { type Io, oneLine, table, writeResult } from '../output.ts';
import { clientFrom, type RemoteOptions, remote } from '../remote.ts';

const SHOWN_CHARS = 80;

interface SearchOptions {
  limit?: number;
  filter?: unknown;
  exact?: boolean;
  ef?: number;
  timeout?: number;
  canary?: string;
  mode?: Search['mode'];
  language?: Search['language'];
  allowDegraded?: boolean;
}

/** Adds `reembed search`. */
export function addSearchCommand(program: Command, io: Io): void {
  withSearchMode(remote(program.command('search <index> <text>')))
    .summary('find similar objects')
    .description('Finds the objects of an index or alias that are most similar to a text.')
    .option('--limit <count>', 'maximum hits', wholeNumber)
    .option('--filter <json>', 'only objects whose metadata passes this filter', json)
    .option('--exact', 'compare all parts, without the HNSW index')
    .option('--ef <width>', 'width of the search in the HNSW index, up to 1000', wholeNumber)
    .option('--timeout <seconds>', 'timeout of the search, including the model call', Number)
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
    .action(async (index: string, text: string, options: RemoteOptions & SearchOptions) => {
      const filter = options.filter as Filter | undefined;
      const { limit, exact, ef, timeout: timeoutSeconds, canary, mode, language, allowDegraded } = options;
      const request = { text, limit, filter, exact, ef, timeoutSeconds, mode, language, allowDegraded };
      const found = await clientFrom(io, options).search(index, request, { canary });
      writeResult(io, options.json, found, () => {
        const hits = table(
          found.hits,
          [
            { title: 'SCORE', value: (hit) => hit.score.toFixed(4), right: true },
            { title: 'ID', value: (hit) => hit.id },
            { title: 'PART', value: (hit) => hit.part ?? 'all', right: true },
            { title: 'PAYLOAD', value: payloadText },
          ],
          found.reason === 'no-known-words'
            ? 'nothing found: the model knows no word of the text'
            : `nothing found in ${found.index}`,
        );
        if (found.degraded) io.err('degraded: the model does not answer, so only words were compared\n');
        return found.complete ? hits : `${hits}\nincomplete: the search timed out before all parts were compared`;
      });
    });
}

function payloadText({ payload, omitted }: Hit): string {
  if (omitted?.includes('payload')) return '(omitted: the response would be too large)';
  const text = oneLine(typeof payload === 'string' ? payload : JSON.stringify(payload));
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS - 1)}…` : text;
}
