import { z } from 'zod';
import type { Json } from '../../contract/json.ts';
import { LIMITS } from '../../contract/limits.ts';
import { isJsonObject, objectIdSchema } from '../../contract/objects.ts';
import { boundedHits, cut } from '../bounded-hits.ts';
import { searchFully } from '../search-fully.ts';
import { textOf } from '../text-of.ts';
import { mcpTool } from './tool.ts';

/** Max. characters of the texts and metadata in one answer. */
const MAX_CHARS = 20_000;
const MAX_HITS = 20;
const MAX_INDEXES = 100;

export const indexName = z.string().min(1).max(LIMITS.objectIdChars).describe('Name of an index or alias.');

/** Any JSON object, passed on unchanged: a validator that copies drops the key `__proto__`. */
const filterSchema = z.custom<Record<string, Json>>(isJsonObject, 'must be an object');
const ABOUT_FILTER =
  'Only objects whose metadata passes: {"lang": "en"}, {"year": {"gte": 2020}}, {"lang": {"in": ["de", "en"]}}, {"or": [{…}, {…}]}.';
filterSchema._zod.toJSONSchema = () => ({ type: 'object', description: ABOUT_FILTER });

export const SEARCH_TOOLS = [
  mcpTool({
    name: 'list_indexes',
    title: 'List indexes',
    description: 'Lists the vector indexes with their aliases, models and numbers of objects.',
    least: 'view',
    effect: 'reads',
    input: z.object({}),
    call: async (client) => {
      let unavailable: string[] = [];
      const indexes = await client.indexes.list({
        onUnavailable: (databases) => {
          unavailable = databases;
        },
      });
      return {
        ...(unavailable.length > 0 && { unavailableDatabases: unavailable }),
        total: indexes.length,
        indexes: indexes.slice(0, MAX_INDEXES).map(({ name, aliases, model, objects }) => ({
          name,
          aliases,
          model: `${model.provider}/${model.name}`,
          objects,
        })),
      };
    },
  }),
  mcpTool({
    name: 'search',
    title: 'Search',
    description:
      'Finds the texts of an index that are nearest in meaning to a query, best first. Long texts are shortened: ' +
      'get_object has them in full.',
    least: 'operate',
    effect: 'reads',
    input: z.object({
      index: indexName,
      query: z.string().min(1).max(10_000).describe('What to look for, in natural language.'),
      limit: z.int().min(1).max(MAX_HITS).default(5).describe('Max. number of texts.'),
      filter: filterSchema.optional(),
    }),
    call: async (client, { index, query, limit, filter }) => {
      const found = await searchFully(client, index, { text: query, limit, filter }, { allowIncomplete: true });
      return { index: found.index, complete: found.complete, hits: boundedHits(found.hits, MAX_CHARS) };
    },
  }),
  mcpTool({
    name: 'get_object',
    title: 'Get object',
    description: 'Returns one object of an index. A long text comes in pieces: repeat the call with nextOffset.',
    least: 'operate',
    effect: 'reads',
    input: z.object({
      index: indexName,
      id: objectIdSchema,
      offset: z.int().min(0).default(0).describe('Where the text begins, in characters.'),
    }),
    call: async (client, { index, id, offset }) => {
      const object = await client.objects.get(index, id);
      const whole = textOf(object.payload);
      const text = cut(whole.slice(offset), MAX_CHARS);
      const end = offset + text.length;
      const metadata = JSON.stringify(object.metadata).length <= MAX_CHARS ? object.metadata : '(too large to show)';
      return {
        id,
        version: object.version,
        failed: object.failed,
        metadata,
        text,
        nextOffset: end < whole.length ? end : null,
      };
    },
  }),
];
