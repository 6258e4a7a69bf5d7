/** When the HNSW index of a reindex is built: after the copy, before it, or at a point of it. */
export const INDEX_BUILDS = ['after', 'during', 'split'] as const;
export type IndexBuild = (typeof INDEX_BUILDS)[number];

/** The ways in words. */
export const WAYS: Record<IndexBuild, string> = {
  after: 'after the copy',
  during: 'during the copy',
  split: 'at a point of the copy, and the rest is inserted',
};

/** What a request may ask for: `auto` leaves the choice to a rule. */
export const ASKED_INDEX_BUILDS = ['auto', ...INDEX_BUILDS] as const;
export type AskedIndexBuild = (typeof ASKED_INDEX_BUILDS)[number];

/** Share of the source that is copied first, to measure how fast the copy is. */
export const MEASURED_SHARE = 0.05;

/** An index of fewer parts is built within seconds: nothing is measured or chosen. */
export const MIN_PARTS_TO_CHOOSE = 25_000;

/** How much slower than the fastest way `during` may be to be chosen: it has no long statement, and a throttle slows it. */
const PATIENCE = { usual: 1.1, live: 2 } as const;

/** The parts of a reindex's time that depend on when the HNSW index is built, in seconds. */
export interface BuildTimes {
  /** To copy everything, without an HNSW index. */
  copy: number;
  /** To build the HNSW index of everything. */
  build: number;
  /** To insert everything into an HNSW index that is there, if nothing else is waited for. */
  inserts: number;
  /** The share of the objects on which `split` builds, and the seconds of that build. */
  split: { share: number; build: number };
  /** Whether the graph of everything fits into the memory of a build. */
  fits: boolean;
  /** Whether searches and writes go on now. */
  isLive: boolean;
}

export type BuildForecast = Record<IndexBuild, number>;

/** A choice with its reason. `forecast`: seconds of copy and build by each way; null if none was needed or known. */
export interface BuildChoice {
  chosen: IndexBuild;
  why: string;
  forecast: BuildForecast | null;
}

/** Returns the seconds of copy and build by each way. */
export function forecastOf({ copy, build, inserts, split }: BuildTimes): BuildForecast {
  const during = Math.max(copy, inserts);
  return {
    after: copy + build,
    during,
    split: split.share * copy + split.build + (1 - split.share) * during,
  };
}

/** Returns the fastest way. `split` is worth its barrier only if a build of everything does not fit into its memory. */
export function fastestOf({ fits }: BuildTimes, forecast: BuildForecast): IndexBuild {
  const ways = INDEX_BUILDS.filter((way) => way !== 'split' || !fits);
  return ways.reduce((best, way) => (forecast[way] < forecast[best] ? way : best));
}

/** Chooses when to build: the fastest way, or `during` if it is hardly slower. During live work it may be slower. */
export function chooseIndexBuild(times: BuildTimes): BuildChoice {
  const forecast = forecastOf(times);
  const fastest = fastestOf(times, forecast);
  const patience = times.isLive ? PATIENCE.live : PATIENCE.usual;
  const chosen = forecast.during <= patience * forecast[fastest] ? 'during' : fastest;
  return { chosen, why: `${reasonOf(chosen, times, fastest)}: ${timesText(times)}`, forecast };
}

/** What a choice needs to know of a reindex. */
export interface ChooseIndexBuildRequest {
  destNo: number;
  /** `split` leaves only the point to the rule. */
  asked: 'auto' | 'split';
  /** Objects of the source, and those copied so far with the time for them. */
  total: number;
  copied: number;
  copyMs: number;
}

/** A choice for a reindex that runs. With what was asked for, it is shown in the tracker's `data.indexStrategy`. */
export interface IndexBuildChoice extends BuildChoice {
  /** Share of the objects on which `split` builds. */
  share: number | null;
  /** Set if a build of everything does not fit into its memory. */
  warning: string | null;
}

/** State of the choice in a reindex. */
export interface IndexBuildState {
  /** Null until the first objects are copied. */
  chosen: IndexBuild | null;
  /** Share of the objects after which the copy stops to choose or to build; null: it goes on to its end. */
  stopAt: number | null;
  /** The copy has come there. */
  isReached: boolean;
  /** Time of the copy so far, without pauses, in milliseconds. */
  copyMs: number;
}

/** The choice for a source whose HNSW index is small. */
export const SMALL: BuildChoice = {
  chosen: 'after',
  why: `with fewer than ${MIN_PARTS_TO_CHOOSE.toLocaleString('en-US')} parts, the build takes seconds`,
  forecast: null,
};

/** The choice for a source that is embedded in batches of the provider. */
export const IN_BATCHES: BuildChoice = {
  chosen: 'during',
  why: 'the batches of the provider take longer than the inserts',
  forecast: null,
};

function reasonOf(chosen: IndexBuild, { copy, inserts, split }: BuildTimes, fastest: IndexBuild): string {
  if (chosen === 'split') {
    const share = Math.max(1, Math.round(split.share * 100));
    return `the graph of ${share} % of the objects fits into the memory of a build, and the rest is inserted`;
  }
  if (chosen === 'after') return 'the inserts take longer than the copy and a build after it';
  if (inserts <= copy) return 'the inserts fit into the time of the copy';
  return fastest === 'during'
    ? 'the inserts take less time than a build after the copy'
    : 'the inserts take longer than the copy, but no long statement is in the way of searches and writes';
}

/** Says how long copy, build and inserts take. */
export function timesText({ copy, build, inserts }: Pick<BuildTimes, 'copy' | 'build' | 'inserts'>): string {
  return `the copy takes ${text(copy)}, the build after it ${text(build)}, all inserts ${text(inserts)}`;
}

const text = (seconds: number) => `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;

/** Warns of a build whose graph does not fit into its memory. */
export function memoryWarning(neededBytes: number, allowedBytes: number): string {
  const mb = (bytes: number) => Math.ceil(bytes / 1024 / 1024);
  return (
    `the build of the HNSW index needs ${mb(neededBytes)} MB and may use ${mb(allowedBytes)} MB: it will continue on disk, which is ` +
    'several times slower; raise REEMBED_INDEX_MEMORY_MB, or set indexBuild to during or split'
  );
}
