import { type Command, Option } from 'commander';
import type { IndexConfigInput } from '../contract/indexes.ts';
import { type Storage, storageSchema } from '../contract/vector-index.ts';
import { wholeNumber } from './arguments.ts';
import { UsageError } from './errors.ts';

export interface VectorIndexOptions {
  storage?: Storage;
  vectorIndex?: 'full' | 'half' | 'bit' | 'none' | 'usual';
  indexDimensions?: number;
  hnswM?: number;
  efConstruction?: number;
}

const PRECISIONS = ['full', 'half', 'bit', 'none'];

/** Adds the options for how an index stores and indexes its vectors; `usual` goes back to what is usual. */
export function withVectorIndex(command: Command, { usual = false } = {}): Command {
  const rest = usual ? '; default: as the source' : '';
  const storage = new Option('--storage <type>', `precision of stored vectors: single, or half${rest}`);
  return withHnsw(command.addOption(storage.choices(storageSchema.options)), { usual, rest });
}

/** Adds the options for the HNSW index alone; `rest` ends the text of the first one. */
export function withHnsw(command: Command, { usual, rest }: { usual: boolean; rest: string }): Command {
  return command
    .addOption(
      new Option('--vector-index <precision>', `precision of the HNSW index, or none${rest}`).choices(
        usual ? [...PRECISIONS, 'usual'] : PRECISIONS,
      ),
    )
    .option(
      '--index-dimensions <count>',
      'index only the first numbers of each vector (Matryoshka models)',
      wholeNumber,
    )
    .option('--hnsw-m <count>', 'neighbors of a vector in the HNSW index; default: 16', wholeNumber)
    .option('--ef-construction <count>', 'width of the build of the HNSW index; default: 64', wholeNumber);
}

/** Returns the vector index that the options stand for; undefined if they say nothing, null for the usual one. */
export function vectorIndexFrom(options: VectorIndexOptions): IndexConfigInput['vectorIndex'] | null {
  const { vectorIndex: precision, indexDimensions: dimensions, hnswM: m, efConstruction } = options;
  const details = { dimensions, m, efConstruction };
  const isDetailed = Object.values(details).some((value) => value !== undefined);
  if (precision === 'none' || precision === 'usual') {
    const what = '--index-dimensions, --hnsw-m and --ef-construction';
    if (isDetailed) throw new UsageError(`${what} require --vector-index full, half or bit, or none at all`);
    return precision === 'usual' ? null : { kind: 'none' };
  }
  return precision === undefined && !isDetailed ? undefined : { ...(precision && { precision }), ...details };
}
