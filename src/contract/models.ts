import { z } from 'zod';
import { LIMITS } from './limits.ts';

const dimensions = z.int().min(1).max(LIMITS.dimensions);

export const hashModelSchema = z.strictObject({
  provider: z.literal('hash'),
  name: z.string().default('hash-v1'),
  dimensions: dimensions.default(256),
});

export const wordsModelSchema = z.strictObject({
  provider: z.literal('words'),
  name: z.string().default('glove-100d-30k'),
  dimensions: z.literal(100).default(100),
});

export const openaiModelSchema = z.strictObject({
  provider: z.literal('openai'),
  name: z.string().min(1),
  dimensions,
  /** The endpoint up to and including `/v1`. */
  baseUrl: z.url({ protocol: /^https?$/ }).default('https://api.openai.com/v1'),
  /** Name of the environment variable (of the workers and the API) that holds the key; the key itself is never stored. */
  apiKeyEnv: z
    .string()
    .regex(/^[A-Z_][A-Z0-9_]*$/, 'an environment variable name')
    .optional(),
  /** Send `dimensions` with each call: for models that can shorten their vectors. */
  sendDimensions: z.boolean().default(false),
  /** Most texts of one call. */
  batchSize: z.int().min(1).max(2048).default(128),
  /** Most characters of all texts of one call. */
  batchChars: z.int().min(1_000).max(4_000_000).default(200_000),
  /** Put before each text, as some models want it (`query: `, `passage: `). */
  queryPrefix: z.string().max(500).optional(),
  documentPrefix: z.string().max(500).optional(),
  timeoutMs: z.int().min(1_000).max(600_000).default(60_000),
});

/** A model that the program which runs the worker and the API registered under this name. */
export const customModelSchema = z.strictObject({
  provider: z.literal('custom'),
  name: z.string().min(1),
  dimensions,
});

export const modelSchema = z.discriminatedUnion('provider', [
  hashModelSchema,
  wordsModelSchema,
  openaiModelSchema,
  customModelSchema,
]);

/** An embedding model as configured. */
export type ModelConfig = z.output<typeof modelSchema>;
export type ModelInput = z.input<typeof modelSchema>;
