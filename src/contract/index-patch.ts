import { z } from 'zod';
import { canonicalJson } from './canonical-json.ts';
import { indexInfoSchema, nameSchema } from './indexes.ts';
import { baseUrlField, callFields, keyFields, modelNameField } from './model-fields.ts';
import type { ModelConfig } from './models.ts';
import { REMOTE_SCHEMAS } from './provider-models.ts';
import { taskFields, taskIdSchema } from './task-bodies.ts';
import { vectorIndexSchema } from './vector-index.ts';

/** Changes of an index that leave its vectors as they are. */

/** Fields that decide about stored objects or vectors, and the field of a reindex that changes them. */
const FIXED: Readonly<Record<string, string | null>> = {
  metric: 'destMetric',
  splitter: 'destSplitter',
  average: 'destAverage',
  storage: 'destStorage',
  fullText: 'destFullText',
  versioning: null,
};
const FIXED_OF_MODEL = [
  'provider',
  'name',
  'dimensions',
  'documentPrefix',
  'sendDimensions',
  'sendRole',
  'normalize',
  'windowTokens',
  'extraBody',
];

const [, azure, , , , vertex, bedrock] = REMOTE_SCHEMAS;
const { batchSize, batchChars, queryPrefix, timeoutMs } = callFields();

/** Fields of a model by which its calls differ, but not its vectors of documents. Null removes a field. */
const modelPatchSchema = z.strictObject({
  baseUrl: baseUrlField('Another address of the same model.').optional(),
  apiVersion: azure.shape.apiVersion.unwrap().optional(),
  project: vertex.shape.project,
  location: vertex.shape.location.unwrap().optional(),
  region: bedrock.shape.region.optional().describe('Region of a bedrock model.'),
  apiKeyEnv: keyFields.apiKeyEnv.nullable(),
  batchSize: batchSize.unwrap().optional().describe('Maximum texts in one call.'),
  batchChars: batchChars.unwrap().optional().describe('Maximum characters of all texts in one call.'),
  timeoutMs: timeoutMs.unwrap().optional().describe('Timeout of one call, in milliseconds.'),
  queryPrefix: queryPrefix.nullable(),
  queryModel: modelNameField
    .nullable()
    .optional()
    .describe('Model for search texts, if another one of the family has vectors in the same space; null: the same.'),
});
export type ModelPatch = z.output<typeof modelPatchSchema>;

/** Whether two models differ in nothing but what a change of an index may change. */
export function differByPatch(left: ModelConfig, right: ModelConfig): boolean {
  const fixed = (model: ModelConfig) =>
    canonicalJson(Object.fromEntries(Object.entries(model).filter(([field]) => !(field in modelPatchSchema.shape))));
  return fixed(left) === fixed(right);
}

const patchFields = z
  .strictObject({
    model: modelPatchSchema.optional().describe('Fields of the model; the others stay.'),
    readyVectors: z.boolean().optional().describe('Whether items may have parts with vectors.'),
    vectorIndex: vectorIndexSchema
      .nullable()
      .optional()
      .describe('The vector index, whole; null: the usual one. A task builds it while the old one serves.'),
    force: z
      .boolean()
      .default(false)
      .describe('Store another address of the model without asking it for vectors that are stored.'),
    taskId: taskIdSchema.optional().describe('Id of the task that changes the vector index. Default: a generated id.'),
  })
  .refine(
    ({ model, readyVectors, vectorIndex }) => [model, readyVectors, vectorIndex].some((one) => one !== undefined),
    {
      message: 'must have at least one of model, readyVectors and vectorIndex',
    },
  );
export type IndexPatchInput = z.input<typeof patchFields>;

/** What a caller changes about an index. A field that decides about vectors is refused by its name. */
export const indexPatchSchema = z
  .preprocess((asked: IndexPatchInput, ctx) => {
    for (const { path, message } of fixedFieldsOf(asked)) ctx.addIssue({ code: 'custom', path, message });
    return asked;
  }, patchFields)
  .meta({
    id: 'IndexPatch',
    description: 'Changes of an index that leave its vectors as they are.',
    examples: [{ vectorIndex: { m: 24, efConstruction: 100 } }, { model: { timeoutMs: 30_000 } }],
  });

function fixedFieldsOf(asked: unknown): { path: string[]; message: string }[] {
  if (!isObject(asked)) return [];
  const own = Object.keys(FIXED).filter((field) => Object.hasOwn(asked, field));
  const { model } = asked;
  const ofModel = isObject(model) ? FIXED_OF_MODEL.filter((field) => Object.hasOwn(model, field)) : [];
  return [
    ...own.map((field) => ({ path: [field], message: fixedText(FIXED[field] ?? null) })),
    ...ofModel.map((field) => ({ path: ['model', field], message: fixedText('destModel') })),
  ];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function fixedText(field: string | null): string {
  if (field === null) return 'is fixed when an index is created: create another index';
  return `decides about what is stored: use a reindex with ${field}`;
}

/** The answer to a change of an index. */
export const patchedIndexSchema = indexInfoSchema
  .extend({
    taskId: z.string().nullable().describe('The task that changes the vector index; null if the whole change is made.'),
  })
  .meta({ id: 'PatchedIndex' });
export type PatchedIndex = z.output<typeof patchedIndexSchema>;

/** Change of the vector index, as a task. */
export const vectorIndexTaskSchema = z
  .strictObject({
    ...taskFields,
    index: nameSchema.describe('Name of an index, not of an alias.'),
    vectorIndex: vectorIndexSchema.nullable().describe('The vector index, whole; null: the usual one.'),
  })
  .meta({ id: 'ChangeVectorIndex', examples: [{ index: 'docs', vectorIndex: { precision: 'half', m: 24 } }] });
export type VectorIndexTaskBody = z.output<typeof vectorIndexTaskSchema>;
export type VectorIndexTaskRequest = z.input<typeof vectorIndexTaskSchema>;
