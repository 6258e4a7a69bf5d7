import type { z } from 'zod';
import { type EmbedResult, embedResultSchema, type embedSchema } from '../contract/embed.ts';
import { readAs, type Send } from './request.ts';

export type EmbedInput = z.input<typeof embedSchema>;

/** Creates the call that embeds texts with the model of an index; a vector is null if the model knows no word. */
export function embedCall(send: Send) {
  return async (request: EmbedInput): Promise<EmbedResult> =>
    readAs(await send('POST', '/v1/embed', { json: request }), embedResultSchema);
}
