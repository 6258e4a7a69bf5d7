import {
  type AskedIndexBuild,
  type BuildChoice,
  type BuildForecast,
  type BuildTimes,
  chooseIndexBuild,
  fastestOf,
  forecastOf,
  IN_BATCHES,
  type IndexBuild,
  MIN_PARTS_TO_CHOOSE,
  SMALL,
  timesText,
} from '../contract/index-build.ts';
import type { ReindexPlan } from '../contract/plan.ts';
import { type BuildInput, buildSeconds, buildTimes, INSERT_FACTOR, insertSeconds } from '../store/plan/build-time.ts';
import { estimated, exact } from './figures.ts';

/** What the time of the HNSW index depends on, besides that of the copy. */
export interface IndexBuildInput {
  /** Vectors of the complete destination. */
  destVectors: number;
  dimensions: number;
  /** Time of one distance on the database server. */
  distanceMicroseconds: number;
  hnsw: ReindexPlan['hnsw'];
  indexBuild: AskedIndexBuild;
  /** Texts are sent in batches of the provider. */
  batchApi: boolean;
}

type Time = ReindexPlan['seconds'];
type Copy = Pick<Time, 'copy' | 'boundBy'>;
type Planned = Copy & Pick<Time, 'build'> & { indexBuild: ReindexPlan['indexBuild'] };

/** Adds to the time of a copy that of the HNSW index, as it is asked for, or as the rule of `auto` chooses. */
export function withIndexBuild(input: IndexBuildInput, copy: Copy): Planned {
  const { hnsw, indexBuild: asked } = input;
  const build = buildOf(input);
  const inserts = insertsOf(input);
  const times = timesOf(input, copy.copy.value);
  const common = { asked, inserts, forecast: times && rounded(forecastOf(times)) };
  if (hnsw.kind === 'none' || times === null) {
    const why = hnsw.kind === 'none' ? 'there is no HNSW index' : `the time of the copy is unknown: ${copy.copy.from}`;
    const chosen = asked === 'auto' && hnsw.kind !== 'none' ? choiceWithoutTimes(input) : null;
    const known = chosen?.chosen ?? (asked === 'auto' ? null : asked);
    const indexBuild = { ...common, chosen: known, faster: null, why: chosen?.why ?? why };
    return { ...built(known ?? 'after', { copy, build, inserts, times }), indexBuild };
  }
  const { chosen, why } = asked === 'auto' ? choiceOf(input, times) : { chosen: asked, why: whyAsked(times) };
  const faster = fastestOf(times, forecastOf(times));
  return { ...built(chosen, { copy, build, inserts, times }), indexBuild: { ...common, chosen, faster, why } };
}

/** What `auto` does without a measured speed; null if that decides. */
function choiceWithoutTimes({ destVectors, batchApi }: IndexBuildInput): BuildChoice | null {
  if (destVectors < MIN_PARTS_TO_CHOOSE) return SMALL;
  return batchApi ? IN_BATCHES : null;
}

const choiceOf = (input: IndexBuildInput, times: BuildTimes): BuildChoice =>
  choiceWithoutTimes(input) ?? chooseIndexBuild(times);

const whyAsked = (times: BuildTimes) => {
  const slower =
    times.inserts <= times.copy ? 'the inserts fit into the time of the copy' : 'the inserts take longer than the copy';
  return `${slower}: ${timesText(times)}`;
};

function timesOf(input: IndexBuildInput, copySeconds: number | null): BuildTimes | null {
  const build = buildInput(input);
  return copySeconds === null || build === null ? null : buildTimes(build, copySeconds, false);
}

function buildInput({ hnsw, destVectors, dimensions, distanceMicroseconds }: IndexBuildInput): BuildInput | null {
  const { precision, memory, allowed } = hnsw;
  if (hnsw.kind === 'none' || precision === null) return null;
  const indexed = { precision, dimensions: hnsw.dimensions, efConstruction: hnsw.efConstruction };
  return {
    ...{ vectors: destVectors, dimensions, distanceMicroseconds, hnsw: indexed },
    ...{ memory: memory.value ?? 0, allowed },
  };
}

function buildOf(input: IndexBuildInput): Time['build'] {
  return timeOf(input, (build) => {
    const where = build.memory <= build.allowed ? '' : '; the graph does not fit into the memory of the build';
    return estimated(buildSeconds(build), `${describe(build)}${where}`);
  });
}

function insertsOf(input: IndexBuildInput): Time['build'] {
  return timeOf(input, (build) =>
    estimated(insertSeconds(build), `${INSERT_FACTOR} times as long as a build: ${describe(build)}`),
  );
}

/** Estimates a time of the HNSW index; it is 0 if there is none, or nothing to index. */
function timeOf(input: IndexBuildInput, estimate: (build: BuildInput) => Time['build']): Time['build'] {
  const build = buildInput(input);
  if (build === null) return exact(0, input.hnsw.memory.from);
  return build.vectors < 2 ? exact(0, 'there is nothing to index') : estimate(build);
}

const describe = ({ vectors, distanceMicroseconds }: BuildInput) =>
  `${vectors} vectors, and ${distanceMicroseconds.toFixed(2)} µs for one distance on the database server`;

interface Parts {
  copy: Copy;
  build: Time['build'];
  inserts: Time['build'];
  times: BuildTimes | null;
}

/** The times of copy and build for one way. Inserts continue while batches wait for the model. */
function built(way: IndexBuild, { copy, build, inserts, times }: Parts): Copy & Pick<Time, 'build'> {
  if (way === 'after') return { ...copy, build };
  const share = way === 'split' ? (times?.split.share ?? 0) : 0;
  const first =
    times && way === 'split'
      ? estimated(times.split.build, `${Math.round(share * 100)} % of the objects: the rest is inserted`)
      : exact(0, 'the HNSW index grows with the copy');
  const isFree = times === null || times.inserts <= times.copy;
  if (isFree) return { ...copy, build: first };
  const seconds = share * times.copy + (1 - share) * times.inserts;
  return { copy: estimated(seconds, inserts.from), boundBy: 'database', build: first };
}

function rounded(forecast: BuildForecast): BuildForecast {
  const round = (seconds: number) => Math.round(seconds * 10) / 10;
  const { after, during, split } = forecast;
  return { after: round(after), during: round(during), split: round(split) };
}
