import { z } from 'zod';
import { LIMITS } from './limits.ts';

export const storageSchema = z
  .enum(['vector', 'halfvec'])
  .describe('How vectors are stored: in single precision, or in half, which takes half the space.');
export type Storage = z.output<typeof storageSchema>;

const OF_HNSW = ['precision', 'dimensions', 'm', 'efConstruction'] as const;

/** The settings of an HNSW index that nobody has chosen. */
export const HNSW_DEFAULTS = { m: 16, efConstruction: 64 } as const;

export const vectorIndexSchema = z
  .strictObject({
    kind: z.enum(['hnsw', 'none']).default('hnsw').describe('`none`: every search compares all vectors.'),
    precision: z
      .enum(['full', 'half', 'bit'])
      .optional()
      .describe(
        'Precision of the vectors in the HNSW index: single, half, or one bit per number. Default: full, half above ' +
          `${LIMITS.vectorIndexDimensions} dimensions.`,
      ),
    dimensions: z
      .int()
      .min(1)
      .max(LIMITS.bitIndexDimensions)
      .optional()
      .describe('How many of the first numbers of each vector are indexed, for Matryoshka models; default: all.'),
    m: z.int().min(2).max(100).optional().describe(`Neighbors of a vector in the graph. Default: ${HNSW_DEFAULTS.m}.`),
    efConstruction: z
      .int()
      .min(4)
      .max(1_000)
      .optional()
      .describe(`Width of the search for neighbors in the build. Default: ${HNSW_DEFAULTS.efConstruction}.`),
  })
  .superRefine((asked, ctx) => {
    const issue = (field: string, message: string) => ctx.addIssue({ code: 'custom', path: [field], message });
    if (asked.kind === 'none') {
      const ignored = OF_HNSW.filter((field) => asked[field] !== undefined);
      for (const field of ignored) issue(field, 'is only for kind hnsw: with kind none there is no HNSW index');
      return;
    }
    const { m = HNSW_DEFAULTS.m, efConstruction = HNSW_DEFAULTS.efConstruction } = asked;
    if (efConstruction < 2 * m) issue('efConstruction', 'must be at least twice m');
  })
  .meta({ id: 'VectorIndex', examples: [{ precision: 'bit' }, { precision: 'half', dimensions: 512 }] });
export type VectorIndexConfig = z.output<typeof vectorIndexSchema>;

/** The settings that determine how vectors are stored and indexed. */
export interface VectorSettings {
  model: { dimensions: number };
  storage?: Storage | undefined;
  vectorIndex?: VectorIndexConfig | undefined;
}

/** A vector index with all its settings. */
export const resolvedVectorIndexSchema = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('hnsw'),
      precision: z.enum(['full', 'half', 'bit']),
      dimensions: z.int().describe('How many of the first numbers of each vector are indexed.'),
      m: z.int(),
      efConstruction: z.int(),
    }),
    z.object({ kind: z.literal('none') }),
  ])
  .describe('How vectors are indexed, with all settings filled in; `none`: every search compares all vectors.');
type ResolvedVectorIndex = z.output<typeof resolvedVectorIndexSchema>;
export type HnswIndex = Extract<ResolvedVectorIndex, { kind: 'hnsw' }>;

/** Most dimensions that pgvector indexes in each precision. */
const MAX_INDEXED: Record<HnswIndex['precision'], number> = {
  full: LIMITS.vectorIndexDimensions,
  half: LIMITS.halfvecIndexDimensions,
  bit: LIMITS.bitIndexDimensions,
};

const DEFAULTS = vectorIndexSchema.parse({});

/** Fills in the settings of a vector index. Without a precision, vectors with too many dimensions have no index. */
export function resolveVectorIndex({ model, storage, vectorIndex = DEFAULTS }: VectorSettings): ResolvedVectorIndex {
  const { m = HNSW_DEFAULTS.m, efConstruction = HNSW_DEFAULTS.efConstruction } = vectorIndex;
  const { kind, dimensions = model.dimensions } = vectorIndex;
  if (kind === 'none') return { kind };
  const usual = storage === 'halfvec' || dimensions > MAX_INDEXED.full ? 'half' : 'full';
  const precision = vectorIndex.precision ?? usual;
  if (dimensions > MAX_INDEXED[precision]) return { kind: 'none' };
  return { kind, precision, dimensions, m, efConstruction };
}

/** Finds what is wrong with a vector index for a model: the field below `vectorIndex`, and why; null if nothing is. */
export function vectorIndexProblem({ model, storage, vectorIndex }: VectorSettings) {
  if (vectorIndex === undefined || vectorIndex.kind === 'none') return null;
  const { precision, dimensions = model.dimensions } = vectorIndex;
  if (dimensions > model.dimensions) {
    return {
      field: 'dimensions',
      message: `must be at most ${model.dimensions}, the dimensions of the model`,
    } as const;
  }
  if (precision === 'full' && storage === 'halfvec') {
    return { field: 'precision', message: 'must be half or bit, since vectors are stored in half precision' } as const;
  }
  if (precision === undefined || dimensions <= MAX_INDEXED[precision]) return null;
  const instead = dimensions <= MAX_INDEXED.half ? 'half or bit' : 'bit';
  const message = `can index ${MAX_INDEXED[precision]} dimensions at most: use ${instead}, or fewer dimensions`;
  return { field: 'precision', message } as const;
}

/** Whether vectors are stored or indexed in half precision, which has no large numbers. */
export function usesHalf(settings: VectorSettings): boolean {
  const hnsw = resolveVectorIndex(settings);
  return settings.storage === 'halfvec' || (hnsw.kind === 'hnsw' && hnsw.precision === 'half');
}
