import { z } from 'zod';

/** One payload in Temporal's remote codec protocol: protobuf JSON with bytes in base64. */
const payloadSchema = z
  .object({
    metadata: z.record(z.string(), z.base64()).optional().describe('Values in base64.'),
    data: z.base64().optional().describe('Data in base64.'),
  })
  .meta({ id: 'CodecPayload' });
export type CodecPayload = z.output<typeof payloadSchema>;

export const codecBody = z.object({ payloads: z.array(payloadSchema).max(10_000) }).meta({
  id: 'CodecPayloads',
  description: "Payloads of Temporal's history, encrypted or not.",
  examples: [{ payloads: [{ metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'ImEgbGlvbiI=' }] }],
});
