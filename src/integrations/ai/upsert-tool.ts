import { type Tool, tool } from 'ai';
import { z } from 'zod';
import type { ReembedClient } from '../../client/client.ts';
import { ReembedError } from '../../contract/errors.ts';
import { type Metadata, objectIdSchema } from '../../contract/objects.ts';
import { parseOptions } from '../options.ts';

export interface UpsertToolOptions {
  client: ReembedClient;
  /** Name of an index or alias. */
  index: string;
  /** Says to the language model what to write to the index and when. */
  description?: string;
  /** Metadata of every object that the model writes. */
  metadata?: Metadata;
  /** Max. seconds to wait for a write; then the model learns that it is accepted. Default: 30. */
  waitSeconds?: number;
  /** Max. characters of one text; default: 100,000. */
  maxChars?: number;
}

const optionsSchema = z.object({
  index: z.string().min(1),
  waitSeconds: z.number().min(0).max(3_600).default(30),
  maxChars: z.int().min(1).max(1_000_000).default(100_000),
});

export interface Upserted {
  id: string;
  /** Id of the task that writes. */
  taskId: string;
  /** Its status; `done` when searches find the text. */
  status: string;
}

/**
 * Makes the tool with which a language model writes a text to an index; with a known id it replaces the text. Errors
 * reach the model as tool errors, `TaskFailed` if a text could not be written. Error: `InvalidInput` for bad options.
 */
export function upsertTool(options: UpsertToolOptions): Tool<{ text: string; id?: string | undefined }, Upserted> {
  const { client, metadata } = options;
  const { index, waitSeconds, maxChars } = parseOptions(optionsSchema, options);
  const { description = 'Stores a text so that it can be found by its meaning later.' } = options;
  return tool({
    description,
    inputSchema: z.object({
      text: z.string().min(1).max(maxChars).describe('The text to store.'),
      id: objectIdSchema.optional().describe('Id of a stored text to replace; default: a new one.'),
    }),
    execute: async ({ text, id = crypto.randomUUID() }, { abortSignal }): Promise<Upserted> => {
      const items = [{ id, payload: text, metadata }];
      const tracker = await client.tasks.upsert({ index, items }, { wait: waitSeconds, signal: abortSignal });
      const [failed] = (await client.tasks.failedPage(tracker.id)).items;
      if (failed) throw new ReembedError('TaskFailed', `${failed.stage}: ${failed.detail}`, { taskId: tracker.id });
      return { id, taskId: tracker.id, status: tracker.status };
    },
  });
}
