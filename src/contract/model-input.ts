import { z } from 'zod';
import { dimensionsField } from './model-fields.ts';
import { type ModelPreset, presetOf } from './model-presets.ts';
import {
  customModelSchema,
  hashModelSchema,
  localModelSchema,
  type ModelConfig,
  modelSchema,
  wordsModelSchema,
} from './models.ts';
import { REMOTE_SCHEMAS } from './provider-models.ts';

const FIELDS_OF = new Map<unknown, readonly string[]>(
  REMOTE_SCHEMAS.map(({ shape }) => [shape.provider.value, Object.keys(shape)]),
);

const optionalDimensions = {
  dimensions: dimensionsField.optional().describe('Required unless the model is well known.'),
};
const [openai, azure, cohere, voyage, google, vertex, bedrock, mistral, jina, ollama] = REMOTE_SCHEMAS;

/** As callers may send it: a well-known model needs no more than its provider and name. */
const askedSchema = z.discriminatedUnion('provider', [
  hashModelSchema,
  wordsModelSchema,
  localModelSchema,
  openai.extend(optionalDimensions),
  azure.extend(optionalDimensions),
  cohere.extend(optionalDimensions),
  voyage.extend(optionalDimensions),
  google.extend(optionalDimensions),
  vertex.extend(optionalDimensions),
  bedrock.extend(optionalDimensions),
  mistral.extend(optionalDimensions),
  jina.extend(optionalDimensions),
  ollama.extend(optionalDimensions),
  customModelSchema,
]);

/** A model as callers may send it. */
export type ModelRequest = z.input<typeof askedSchema>;

/** A complete model, whose fields also fit together. */
export const wholeModelSchema = (modelSchema as z.ZodType<ModelConfig, z.output<typeof askedSchema>>).superRefine(
  (model, ctx) => {
    for (const { path, message } of problemsOf(model)) ctx.addIssue({ code: 'custom', path: [path], message });
  },
);

/**
 * Model that an index is created with. What is known of its name fills in the fields that are not given, so that the
 * result is complete.
 */
export const modelInputSchema = z
  .preprocess((asked: ModelRequest) => withDefaults(asked).model, askedSchema)
  .pipe(wholeModelSchema)
  .meta({
    id: 'ModelInput',
    description: 'An embedding model. Fields of well-known models that are not given are filled in.',
    examples: [
      { provider: 'hash', dimensions: 256 },
      { provider: 'openai', name: 'text-embedding-3-small' },
    ],
  });

/** The fields that were filled in, and where their values are from. */
export interface ModelDefaults {
  fields: string[];
  source: string;
}

/** Returns a model as it was asked for with the fields that are known of it, and which these are. */
export function withDefaults(asked: unknown): { model: unknown; defaults: ModelDefaults | null } {
  if (typeof asked !== 'object' || asked === null) return { model: asked, defaults: null };
  const given = asked as Record<string, unknown>;
  const names = FIELDS_OF.get(given.provider);
  const preset = typeof given.name === 'string' ? presetOf(given.name) : undefined;
  if (names === undefined || preset === undefined) return { model: asked, defaults: null };
  const known = Object.entries(knownOf(preset, given.dimensions));
  const filled = known.filter(([field, value]) => {
    return value !== undefined && given[field] === undefined && names.includes(field);
  });
  if (filled.length === 0) return { model: asked, defaults: null };
  const model = { ...given, ...Object.fromEntries(filled) };
  return { model, defaults: { fields: filled.map(([field]) => field), source: preset.source } };
}

function knownOf(preset: ModelPreset, dimensions: unknown): Record<string, unknown> {
  const isOther = dimensions !== undefined && dimensions !== preset.dimensions;
  return {
    dimensions: preset.dimensions,
    windowTokens: preset.windowTokens,
    queryPrefix: preset.queryPrefix,
    documentPrefix: preset.documentPrefix,
    sendRole: preset.sendRole,
    sendDimensions: preset.canShorten && isOther ? true : undefined,
    normalize: isOther ? preset.normalize : undefined,
  };
}

function problemsOf(model: ModelConfig): { path: string; message: string }[] {
  if (model.provider === 'vertex' && model.project === undefined && model.apiKeyEnv === undefined) {
    return [{ path: 'project', message: 'must be set, or apiKeyEnv' }];
  }
  const queryModel = 'queryModel' in model ? model.queryModel : undefined;
  if (queryModel === undefined || shareSpace(model.name, queryModel)) return [];
  const message = `has vectors in another space than ${model.name}: searches would find nothing that fits`;
  return [{ path: 'queryModel', message }];
}

/** Whether the vectors of two models can be compared, as far as is known. */
function shareSpace(left: string, right: string): boolean {
  if (left === right) return true;
  const [one, other] = [presetOf(left), presetOf(right)];
  if (one === undefined && other === undefined) return true;
  return one?.family !== undefined && one.family === other?.family;
}
