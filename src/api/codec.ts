import { createRoute } from '@hono/zod-openapi';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { type CodecPayload, codecBody } from '../contract/codec.ts';
import { messageOf, ReembedError } from '../contract/errors.ts';
import { jsonBody } from './body/json.ts';
import { createRouter } from './create-router.ts';
import { problemResponses } from './problems.ts';

/** Temporal accepts messages of up to 4 MB. */
const CODEC_BODY = { maxBytes: 8 * 1024 * 1024 };

const payloads = { 'application/json': { schema: codecBody } };

const decodeRoute = createRoute({
  method: 'post',
  path: '/decode',
  middleware: jsonBody(CODEC_BODY),
  operationId: 'decodePayloads',
  tags: ['operation'],
  summary: "Decrypt payloads of Temporal's history",
  description:
    "Temporal's remote codec protocol: `--codec-endpoint` of its command, and the codec server of its UI. What is not encrypted comes back as it is.",
  request: { body: { required: true, content: payloads } },
  responses: { 200: { description: 'The same, decrypted.', content: payloads }, ...problemResponses('InvalidInput') },
});

const encodeRoute = createRoute({
  method: 'post',
  path: '/encode',
  middleware: jsonBody(CODEC_BODY),
  operationId: 'encodePayloads',
  tags: ['operation'],
  summary: "Encrypt payloads for Temporal's history",
  description: "Temporal's remote codec protocol. Without keys they come back as they are.",
  request: { body: { required: true, content: payloads } },
  responses: { 200: { description: 'The same, encrypted.', content: payloads }, ...problemResponses('InvalidInput') },
});

/** Creates the codec endpoint; without a codec it returns payloads unchanged. */
export function createCodecRouter(codec: PayloadCodec | undefined) {
  return createRouter()
    .openapi(decodeRoute, async (c) => {
      const given = c.req.valid('json').payloads.map(fromJson);
      // An unknown key or an altered payload is the caller's input.
      const decoded = await codec?.decode(given).catch((cause: unknown) => {
        throw new ReembedError('InvalidInput', messageOf(cause), { cause });
      });
      return c.json({ payloads: (decoded ?? given).map(toJson) }, 200);
    })
    .openapi(encodeRoute, async (c) => {
      const given = c.req.valid('json').payloads.map(fromJson);
      return c.json({ payloads: ((await codec?.encode(given)) ?? given).map(toJson) }, 200);
    });
}

function fromJson({ metadata = {}, data }: CodecPayload): Payload {
  return {
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, text]) => [name, Buffer.from(text, 'base64')])),
    data: data === undefined ? undefined : Buffer.from(data, 'base64'),
  };
}

function toJson({ metadata, data }: Payload): CodecPayload {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return {
    metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, bytes]) => [name, base64(bytes)])),
    ...(data && { data: base64(data) }),
  };
}
