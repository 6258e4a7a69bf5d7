import { createClient } from '../src/client/client.ts';
import type { Search } from '../src/contract/objects.ts';
import { scoresAt } from '../src/evaluation/judged.ts';
import { mean } from '../src/evaluation/samples.ts';
import { openBenchDatabase } from './database.ts';
import { type Benchmark, type Contender, compare, type Metric } from './harness.ts';
import { LIVE_COMMANDS } from './live-load.ts';
import { postgresVersions } from './machine.ts';
import { startProcesses } from './processes.ts';
import { spread, wordnetLines } from './wordnet.ts';

const METRICS = [
  { name: 'nDCG@10', unit: '', better: 'higher' },
  { name: 'recall@10', unit: '', better: 'higher' },
  { name: 'MRR@10', unit: '', better: 'higher' },
] as const satisfies Metric[];
type Name = (typeof METRICS)[number]['name'];

const K = 10;
const BATCH = 500;

/** A judged set that lexicographers made: an example sentence belongs to one definition. */
interface Judged {
  documents: { id: string; payload: string }[];
  queries: { text: string; relevant: string }[];
}

type Client = ReturnType<typeof createClient>;

export const hybrid: Benchmark = {
  about: 'quality of full text and hybrid searches, against searches by vector, on a judged set',
  options: {
    objects: { type: 'string', default: '10000' },
    queries: { type: 'string', default: '500' },
    models: { type: 'string', default: 'words,local' },
  },
  async run({ runs, options, say }) {
    const judged = readJudged({ objects: Number(options.objects), queries: Number(options.queries) });
    const { url, close } = await openBenchDatabase({ connections: 100, say });
    const system = await startProcesses(LIVE_COMMANDS, url, {}, say);
    try {
      const reembed = createClient({ baseUrl: system.url });
      const comparisons = [];
      for (const provider of String(options.models).split(',') as ('words' | 'local')[]) {
        say(`embeds ${judged.documents.length} definitions with ${provider}`);
        const index = `definitions-${provider}`;
        await reembed.indexes.create(index, { model: { provider }, fullText: { language: 'english' } });
        for (let from = 0; from < judged.documents.length; from += BATCH) {
          const items = judged.documents.slice(from, from + BATCH);
          await reembed.tasks.upsert({ index, items }, { wait: true });
        }
        const baseline = searcher(reembed, index, judged, 'vector');
        for (const mode of ['text', 'hybrid'] as const) {
          const candidate = searcher(reembed, index, judged, mode);
          const plan = { title: `${provider}, ${mode}`, metrics: METRICS, candidate, baseline };
          comparisons.push(await compare(plan, { runs, say, warmUp: false }));
        }
      }
      return { comparisons, versions: await postgresVersions(url) };
    } finally {
      await system.stop();
      await close();
    }
  },
};

function searcher(reembed: Client, index: string, { queries }: Judged, mode: Search['mode']): Contender<Name> {
  return {
    name: mode ?? 'vector',
    async run() {
      const scores = [];
      for (const { text, relevant } of queries) {
        const { hits } = await reembed.search(index, { text, mode, limit: K });
        const ranking = hits.map(({ id }) => id);
        scores.push(scoresAt(ranking, new Map([[relevant, 1]]), K));
      }
      return {
        'nDCG@10': mean(scores.map(({ ndcg }) => ndcg)),
        'recall@10': mean(scores.map(({ recall }) => recall)),
        'MRR@10': mean(scores.map(({ mrr }) => mrr)),
      };
    },
  };
}

/**
 * Reads definitions of WordNet with their words. `queries` of them have an example sentence, which is the query; the
 * sentences are not in the documents.
 */
function readJudged({ objects, queries }: { objects: number; queries: number }): Judged {
  const entries = spread(wordnetLines().map(entryOf));
  const withExample = entries.filter(({ example }) => example !== null).slice(0, queries);
  const others = entries.filter((entry) => !withExample.includes(entry)).slice(0, objects - withExample.length);
  return {
    documents: [...withExample, ...others].map(({ id, payload }) => ({ id, payload })),
    queries: withExample.map(({ id, example }) => ({ text: example as string, relevant: id })),
  };
}

interface Entry {
  id: string;
  payload: string;
  example: string | null;
}

function entryOf({ kind, line }: { kind: string; line: string }): Entry {
  const [data = '', gloss = ''] = line.split(' | ');
  const [offset = '', , , count = '0', ...fields] = data.split(' ');
  const words = fields.slice(0, 2 * Number.parseInt(count, 16)).filter((_, at) => at % 2 === 0);
  const [definition = ''] = gloss.split('; "');
  const example = /"([^"]{20,})"/.exec(gloss)?.[1] ?? null;
  const names = words.map((word) => word.replaceAll('_', ' ')).join(', ');
  return { id: `${kind}-${offset}`, payload: `${names}: ${definition.trim()}`, example };
}
