import { linearRegression } from 'simple-statistics';
import { buildSteps, graphBytes } from '../../src/store/plan/build-time.ts';

/** A measured value of something that grows: `y` at the size `x`. */
export interface Point {
  x: number;
  y: number;
}

/** How a value grows with the size. */
export type Growth = 'linear' | 'build';

/** `fixed + per × x`, or `per ×` the steps of a build of `x` vectors of 384 dimensions. */
export interface Fit {
  growth: Growth;
  fixed: number;
  per: number;
  /** Largest relative distance of a measured value from the fit; 0.1 is 10 %. */
  error: number;
  /**
   * Relative distance of the value at the largest size from a fit of all smaller ones: what an extrapolation of this
   * factor was worth. Null with fewer than three sizes.
   */
  ahead: number | null;
}

/** Fits measured values of at least two sizes by least squares. Error: `RangeError`. */
export function fitGrowth(points: readonly Point[], growth: Growth): Fit {
  const sorted = [...points].sort((one, other) => one.x - other.x);
  const sizes = new Set(sorted.map(({ x }) => x));
  if (sizes.size < 2) throw new RangeError(`a fit needs values at two sizes or more, got ${sizes.size}`);
  if (sorted.some(({ x, y }) => !(x >= 1) || !Number.isFinite(y))) {
    throw new RangeError('a fit needs sizes from 1 and finite values');
  }
  const line = lineOf(sorted, growth);
  const largest = sorted.at(-1) as Point;
  const smaller = sorted.filter(({ x }) => x < largest.x);
  const canCheck = new Set(smaller.map(({ x }) => x)).size >= 2;
  return {
    growth,
    ...line,
    error: Math.max(...sorted.map((point) => distance(line, growth, point))),
    ahead: canCheck ? distance(lineOf(smaller, growth), growth, largest) : null,
  };
}

/** Returns the value of a fit at a size. */
export function valueAt({ fixed, per, growth }: Pick<Fit, 'fixed' | 'per' | 'growth'>, x: number): number {
  return fixed + per * SHAPES[growth](x);
}

/**
 * Returns the largest whole size at which a value that grows stays within a bound: 0 if none does, infinity if all up to
 * `max` do.
 */
export function largestWithin(amountOf: (size: number) => number, bound: number, max = 1e15): number {
  if (amountOf(max) <= bound) return Number.POSITIVE_INFINITY;
  let [fits, exceeds] = [0, max];
  while (exceeds - fits > 1) {
    const middle = Math.floor((fits + exceeds) / 2);
    if (amountOf(middle) <= bound) fits = middle;
    else exceeds = middle;
  }
  return fits;
}

type Line = Pick<Fit, 'fixed' | 'per'>;

/** Dimensions of the vectors whose build is fitted. */
const DIMENSIONS = 384;
const BYTES = graphBytes({ kind: 'hnsw', precision: 'full', dimensions: DIMENSIONS, m: 16, efConstruction: 64 });
/** What a value is proportional to, apart from its fixed part. */
export const SHAPES: Record<Growth, (x: number) => number> = {
  linear: (x) => x,
  build: (x) => (x <= 1 ? 0 : buildSteps({ vectors: x, dimensions: DIMENSIONS, memory: x * BYTES })),
};

/** A build has no fixed part: with a few vectors it ends at once. */
function lineOf(points: readonly Point[], growth: Growth): Line {
  const shaped = points.map(({ x, y }) => [SHAPES[growth](x), y] as [number, number]);
  if (growth === 'build') {
    const sumOf = (term: (point: [number, number]) => number) => shaped.reduce((sum, point) => sum + term(point), 0);
    return { fixed: 0, per: sumOf(([x, y]) => x * y) / sumOf(([x]) => x * x) };
  }
  const { m, b } = linearRegression(shaped);
  return { fixed: b, per: m };
}

function distance(line: Line, growth: Growth, { x, y }: Point): number {
  const off = Math.abs(valueAt({ ...line, growth }, x) - y);
  if (off === 0) return 0;
  return y === 0 ? Number.POSITIVE_INFINITY : off / Math.abs(y);
}
