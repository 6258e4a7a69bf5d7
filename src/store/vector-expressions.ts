import { type RawBuilder, sql } from 'kysely';
import { type HnswIndex, resolveVectorIndex } from '../contract/vector-index.ts';
import type { Vector } from '../contract/vectors.ts';
import { vectorText } from './protocol/object-parts.ts';
import type { IndexRow } from './schema.ts';

type Sql = RawBuilder<unknown>;
type Settings = Pick<IndexRow, 'model' | 'metric' | 'storage' | 'vectorIndex'>;

const OPERATORS = { cosine: '<=>', l2: '<->', ip: '<#>' } as const;

/** Returns the stored vector of a part with its type, and the operator of the metric. */
export function storedVector({ model, metric, storage = 'vector' }: Settings): {
  column: Sql;
  type: Sql;
  operator: Sql;
} {
  const type = sql.raw(`${storage}(${Number(model.dimensions)})`);
  return { column: sql`(embedding::${type})`, type, operator: sql.raw(OPERATORS[metric]) };
}

/** Returns the distance of a stored vector to another one, by which results are ordered. */
export function storedDistance(index: Settings, vector: Vector): Sql {
  const { column, type, operator } = storedVector(index);
  return sql`(${column} ${operator} ${vectorText(comparable(index, vector))}::${type})`;
}

/** Returns a vector that has the same distance to stored ones, in the type in which they are stored. */
export function comparable(index: Settings, vector: Vector): Vector {
  return index.storage === 'halfvec' ? readableInHalf(vector, index) : vector;
}

/**
 * Returns a vector of the same direction whose numbers keep their digits in half precision, which has no small ones. A
 * cosine does not change with the length, and a power of two changes no digits.
 */
function readableInHalf(vector: Vector, { metric }: Settings): Vector {
  let max = 0;
  for (let at = 0; at < vector.length; at++) max = Math.max(max, Math.abs(vector[at] as number));
  if (metric !== 'cosine' || max === 0 || max >= 0.5) return vector;
  const factor = 2 ** Math.min(1_000, -Math.ceil(Math.log2(max)));
  return Array.from(vector, (value) => value * factor);
}

/** Returns what an HNSW index has of a stored vector, and its operator class. */
export function indexedVector(index: Settings, hnsw: HnswIndex): { column: Sql; operatorClass: Sql } {
  const { type } = indexedAs(index, hnsw);
  if (hnsw.precision === 'bit') {
    return { column: sql`(binary_quantize(${leading(index, hnsw)})::${type})`, operatorClass: sql`bit_hamming_ops` };
  }
  const kind = hnsw.precision === 'half' ? 'halfvec' : 'vector';
  return { column: sql`(${leading(index, hnsw)}::${type})`, operatorClass: sql.raw(`${kind}_${index.metric}_ops`) };
}

/** The first numbers of a stored vector; all of them as the column itself, which is another expression to Postgres. */
function leading({ model }: Settings, { dimensions }: HnswIndex): Sql {
  return dimensions < model.dimensions ? sql`subvector(embedding, 1, ${sql.lit(dimensions)})` : sql`embedding`;
}

function indexedAs({ metric }: Settings, { precision, dimensions }: HnswIndex): { type: Sql; operator: Sql } {
  const type = { full: 'vector', half: 'halfvec', bit: 'bit' }[precision];
  const operator = precision === 'bit' ? '<~>' : OPERATORS[metric];
  return { type: sql.raw(`${type}(${Number(dimensions)})`), operator: sql.raw(operator) };
}

/** Returns the distance by which the HNSW index is read. Only for an index that has one. */
export function indexedDistance(index: Settings, vector: Vector): Sql {
  const hnsw = resolveVectorIndex(index);
  if (hnsw.kind === 'none') return storedDistance(index, vector);
  const { type, operator } = indexedAs(index, hnsw);
  const first = vector.slice(0, hnsw.dimensions);
  const text = vectorText(hnsw.precision === 'half' ? readableInHalf(first, index) : first);
  const query = hnsw.precision === 'bit' ? sql`binary_quantize(${text}::vector)::${type}` : sql`${text}::${type}`;
  return sql`${indexedVector(index, hnsw).column} ${operator} ${query}`;
}
