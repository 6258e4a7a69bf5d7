import { WAYS } from './index-build.ts';
import type { Figure, ReindexPlan } from './plan.ts';

/** A figure of a plan as it is shown to people, in the order of the table. */
export interface PlanRow {
  name: string;
  unit: 'count' | 'usd' | 'seconds' | 'bytes';
  /** A share of the row above that is not one. */
  isPart?: boolean;
  figure: Figure;
}

type Row = Omit<PlanRow, 'figure'> & { figureOf: (plan: ReindexPlan) => Figure | null };

const ROWS: readonly Row[] = [
  { name: 'objects', unit: 'count', figureOf: ({ objects }) => objects },
  { name: 'to copy', unit: 'count', isPart: true, figureOf: ({ copied }) => copied },
  { name: 'without a call', unit: 'count', isPart: true, figureOf: ({ reused }) => reused },
  { name: 'failing', unit: 'count', isPart: true, figureOf: ({ failing }) => failing },
  { name: 'texts', unit: 'count', figureOf: ({ parts }) => parts },
  { name: 'longer than the window', unit: 'count', isPart: true, figureOf: ({ longTexts }) => longTexts },
  { name: 'texts taken over', unit: 'count', figureOf: ({ reusedTexts }) => reusedTexts },
  { name: 'tokens', unit: 'count', figureOf: ({ tokens }) => tokens },
  { name: 'calls', unit: 'count', figureOf: ({ calls }) => calls },
  { name: 'price', unit: 'usd', figureOf: ({ usd }) => usd },
  { name: 'in batches', unit: 'usd', isPart: true, figureOf: ({ batchUsd }) => batchUsd },
  { name: 'time', unit: 'seconds', figureOf: ({ seconds }) => seconds.total },
  { name: 'copy', unit: 'seconds', isPart: true, figureOf: ({ seconds }) => seconds.copy },
  { name: 'HNSW build', unit: 'seconds', isPart: true, figureOf: ({ seconds }) => seconds.build },
  { name: 'rest', unit: 'seconds', isPart: true, figureOf: ({ seconds }) => seconds.rest },
  { name: 'disk while both exist', unit: 'bytes', figureOf: ({ disk }) => disk.together },
  { name: 'source', unit: 'bytes', isPart: true, figureOf: ({ disk }) => disk.source },
  { name: 'new index', unit: 'bytes', isPart: true, figureOf: ({ disk }) => disk.dest },
  { name: 'memory of the HNSW build', unit: 'bytes', figureOf: ({ hnsw }) => hnsw.memory },
];

/** Returns the rows of a plan that have something to say. */
export function planRowsOf(plan: ReindexPlan): PlanRow[] {
  return ROWS.flatMap(({ figureOf, ...row }) => {
    const figure = figureOf(plan);
    return figure ? [{ ...row, figure }] : [];
  });
}

/** Describes whether the graph of the HNSW build fits into memory; null if none is built. */
export function graphText({ hnsw }: ReindexPlan): string | null {
  if (hnsw.fits === null) return null;
  const fits = hnsw.fits ? 'fits into' : 'does not fit into';
  const precision = hnsw.precision === 'bit' ? 'one bit per number' : `${hnsw.precision} precision`;
  return `HNSW: ${precision}, ${hnsw.dimensions} dimensions, m ${hnsw.m}, ef_construction ${hnsw.efConstruction}; the graph ${fits} REEMBED_INDEX_MEMORY_MB (${Math.round(hnsw.allowed / 1024 / 1024)} MB)`;
}

/** Says when the HNSW index is built, and whether it is better built otherwise. */
export function indexBuildText({ indexBuild: { asked, chosen, faster, why } }: ReindexPlan): string {
  if (chosen === null) return `HNSW index: the first objects decide when it is built: ${why}`;
  const advice = asked === 'auto' || faster === null || faster === chosen ? '' : `; --index-build ${faster} is faster`;
  return `HNSW index built ${WAYS[chosen]}${asked === 'auto' ? ', chosen by auto' : ''}${advice}: ${why}`;
}
