import { z } from 'zod';
import { nameSchema } from './indexes.ts';
import { LIMITS } from './limits.ts';
import { searchSchema } from './objects.ts';
import { notBlank } from './texts.ts';

export const embedSchema = z
  .strictObject({
    index: nameSchema.describe('Name of an index or an alias: its model embeds the texts.'),
    texts: z
      .array(notBlank(z.string().max(LIMITS.searchTextChars)))
      .min(1)
      .max(LIMITS.textsPerEmbed)
      .describe(
        `At most ${LIMITS.textsPerEmbed} texts; their vectors have at most ${LIMITS.numbersPerEmbed} numbers together.`,
      ),
    purpose: z
      .enum(['query', 'document'])
      .default('query')
      .describe('What the vectors are for: some models embed the text of a search and that of an object differently.'),
    timeoutSeconds: searchSchema.shape.timeoutSeconds,
  })
  .meta({ id: 'Embed', examples: [{ index: 'docs', texts: ['big cat', 'a tree'] }] });
export type EmbedRequest = z.output<typeof embedSchema>;

export const embedResultSchema = z
  .object({
    index: z.string().describe('The index whose model embedded the texts.'),
    model: z.object({ provider: z.string(), name: z.string(), dimensions: z.int() }),
    vectors: z
      .array(z.array(z.number()).nullable())
      .describe('The vector of each text, in their order; null for a text of which the model knows no word.'),
  })
  .meta({ id: 'EmbedResult' });
export type EmbedResult = z.output<typeof embedResultSchema>;
