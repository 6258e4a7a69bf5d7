import { clusteredVectors } from '../clustered.ts';
import type { BenchDatabase } from '../database.ts';
import { givenTexts, textOf } from '../objects.ts';
import { measureBuild } from './build.ts';
import { diskOf } from './disk.ts';
import type { Sweep } from './report.ts';

/** Measures what `parts` parts with vectors of a number of dimensions take. */
export async function measureDimensions({ db, url }: BenchDatabase, dimensions: number, parts: number): Promise<Sweep> {
  const vectors = clusteredVectors(dimensions);
  const texts = {
    count: parts,
    of: (at: number) => textOf(String(at)),
    vectorOf: (at: number) => Float32Array.from(vectors(at)),
  };
  const index = await givenTexts(db, `of-${dimensions}`, texts, dimensions);
  const build = await measureBuild(url, index);
  const disk = await diskOf(db, index.no);
  const table = disk.parts.table + disk.parts.toast + disk.parts.indexes;
  return { dimensions, parts, table, hnsw: disk.hnsw, memory: build.memory, wal: build.wal, seconds: build.seconds };
}
