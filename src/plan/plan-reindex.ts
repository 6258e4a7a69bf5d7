import type { Embedder } from '../contract/embedder.ts';
import { ReembedError } from '../contract/errors.ts';
import { memoryWarning } from '../contract/index-build.ts';
import type { ModelLimits } from '../contract/model-limits.ts';
import { shutdownWarnings } from '../contract/model-presets.ts';
import type { ModelPrices } from '../contract/model-prices.ts';
import type { ModelConfig } from '../contract/models.ts';
import type { Obstacle, PlanReindexBody, ReindexPlan } from '../contract/plan.ts';
import { BYTES_PER_TOKEN } from '../models/estimate-tokens.ts';
import { batchPriceShareOf, priceOf, requireBatches } from '../models/prices.ts';
import { isSameModel } from '../pipeline/take-over.ts';
import type { Db } from '../store/database.ts';
import { countIndex } from '../store/index-info.ts';
import { readTables } from '../store/partitions.ts';
import { readSizes } from '../store/plan/sizes.ts';
import { distanceMicroseconds } from '../store/plan/speed.ts';
import { type CheckedPair, checkPair } from '../store/protocol/check-pair.ts';
import { CALLS_OF_BATCH, type CallPlan, planCalls } from './calls.ts';
import { exact, figure, unknown } from './figures.ts';
import { type Probe, probeModel } from './probe.ts';
import { asFieldError, type Sample, takeSample } from './sample.ts';
import { spaceOf } from './space.ts';
import { timeOf } from './time.ts';
import { type Counts, type Volume, volumeOf } from './volume.ts';

/** What of a deployment counts for a plan. */
export interface PlanSettings {
  modelLimits: ModelLimits;
  modelPrices: ModelPrices;
  /** Memory of the HNSW build, in MB. */
  indexMemoryMb: number;
  maxConcurrentReindexes: number;
  /** The folder with the files of tokenizers. */
  tokenizerDir: string | null;
}

export const PLAN_DEFAULTS: PlanSettings = {
  modelLimits: {},
  modelPrices: {},
  indexMemoryMb: 256,
  maxConcurrentReindexes: 4,
  tokenizerDir: null,
};

export interface PlanDependencies {
  /** Connections for work that yields to live work. */
  db: Db;
  models: { embedder(config: ModelConfig): Embedder };
  settings?: Partial<PlanSettings> | undefined;
}

/** Max time of the exact counts. */
const COUNT_MS = 5_000;

/**
 * Says what a reindex would do and cost, from counts, a sample of the source and a few calls of the model. Starts
 * nothing, changes no index and takes no lock. Errors: `IndexNotFound`, `InvalidInput`.
 */
export async function planReindex(
  deps: PlanDependencies,
  body: PlanReindexBody,
  signal: AbortSignal,
): Promise<ReindexPlan> {
  const { db } = deps;
  const settings = { ...PLAN_DEFAULTS, ...deps.settings };
  const pair = await checkPair(db, { ...body, maxConcurrentReindexes: settings.maxConcurrentReindexes });
  if (body.batchApi) requireBatches(pair.config.model);
  const embedder = embedderOf(deps, pair);
  const counts = await readTables(pair.source, () => countIndex(db, pair.source.no, COUNT_MS));
  const sample = await takeSample(db, pair, {
    embedder,
    tokenizerDir: settings.tokenizerDir,
    maxObjects: body.sampleObjects,
    reuse: body.reuse,
    signal,
  });
  const probe = await probeOf(body, { pair, counts, sample, embedder, signal });
  return new Plan(body, settings, { pair, counts, sample, probe, embedder }).finish(db);
}

function embedderOf({ models }: PlanDependencies, { config, dest }: CheckedPair): Embedder {
  try {
    return models.embedder(config.model);
  } catch (error) {
    throw asFieldError(error, dest ? 'dest' : 'destModel');
  }
}

interface Known {
  pair: CheckedPair;
  counts: Counts;
  sample: Sample;
  embedder: Embedder;
}

async function probeOf(body: PlanReindexBody, known: Known & { signal: AbortSignal }): Promise<Probe | null> {
  const { sample, embedder, signal } = known;
  if (!body.probe || sample.texts.length === 0) return null;
  const calls = callsOf(body, known, sample.copies.length);
  return probeModel(embedder, sample.texts, {
    callTexts: Math.max(1, Math.ceil(calls.textsPerCall)),
    callsAtOnce: calls.batchesAtOnce * CALLS_OF_BATCH,
    prefixChars: prefixCharsOf(known.pair),
    signal,
  });
}

const prefixCharsOf = ({ config: { model } }: CheckedPair) =>
  'documentPrefix' in model ? (model.documentPrefix?.length ?? 0) : 0;

function callsOf(body: PlanReindexBody, { counts, sample, embedder }: Known, copied: number): CallPlan {
  return planCalls({
    total: counts.objects + counts.tombstones,
    copied,
    ...{ concurrency: body.concurrency, batchSize: body.batchSize },
    ...{ maxTexts: embedder.maxTexts, maxChars: embedder.maxChars },
    meanWeight: sample.meanWeight,
    copies: sample.copies.map((texts) => texts.map(({ chars }) => chars)),
  });
}

class Plan {
  private readonly body: PlanReindexBody;
  private readonly settings: PlanSettings;
  private readonly known: Known & { probe: Probe | null };

  constructor(body: PlanReindexBody, settings: PlanSettings, known: Known & { probe: Probe | null }) {
    this.body = body;
    this.settings = settings;
    this.known = known;
  }

  async finish(db: Db): Promise<ReindexPlan> {
    const { pair, sample, probe } = this.known;
    const volume = volumeOf(this.known);
    const calls = callsOf(this.body, this.known, volume.copied.value ?? 0);
    const { disk, hnsw } = await this.space(db, volume);
    const distance = await distanceMicroseconds(db, pair.config.model.dimensions);
    const times = this.times({ volume, calls, hnsw, distance });
    return {
      ...{ source: pair.source.name, dest: this.body.dest, destExists: pair.dest !== null, alias: pair.alias },
      model: pair.config.model,
      ...volume,
      calls: this.callFigure(calls, volume),
      usd: this.usd(volume),
      batchUsd: this.batchUsd(volume),
      ...times,
      ...{ disk, hnsw },
      obstacles: [...pair.obstacles, ...modelObstacles(probe)],
      warnings: [...pair.warnings, ...this.warnings(volume), ...memoryWarnings(hnsw, times.indexBuild)],
      sample: {
        objects: sample.objects,
        bytes: sample.bytes,
        seconds: sample.ms / 1_000,
        isWhole: sample.isWhole,
      },
      probe: probe && { calls: probe.calls, texts: probe.texts, tokens: probe.tokens, seconds: probe.ms / 1_000 },
    };
  }

  private async space(db: Db, volume: Volume) {
    const { pair, counts } = this.known;
    return spaceOf({
      ...{ source: pair.source, config: pair.config },
      sizes: await readSizes(db, pair.source),
      sourceParts: counts.parts,
      objects: counts.objects,
      destVectors: this.destVectors(volume),
      existing: pair.dest && (await readSizes(db, pair.dest)),
      indexMemoryMb: this.settings.indexMemoryMb,
    });
  }

  /** Vectors of the complete destination: also of the objects that it has already, and averages. */
  private destVectors(volume: Volume): number {
    const { sample, pair, counts } = this.known;
    const { takenOver } = sample;
    const embedded = sample.copies.filter((texts) => texts.length > 0);
    const withVectors = embedded.length + takenOver.objects;
    if (withVectors === 0) return counts.parts;
    const texts = embedded.reduce((sum, { length }) => sum + length, 0) + takenOver.texts;
    const averages = pair.config.average ? embedded.filter(({ length }) => length > 1).length : 0;
    const perText = (texts + averages) / texts;
    if (pair.dest === null) return Math.round(((volume.parts.value ?? 0) + (volume.reusedTexts.value ?? 0)) * perText);
    const objects = (volume.objects.value ?? 0) - (volume.failing.value ?? 0);
    return Math.round(((objects * texts) / withVectors) * perText);
  }

  private callFigure({ calls }: CallPlan, { parts }: Volume) {
    const { source, config } = this.known.pair;
    const how = `${parts.value} texts in calls as large as the model accepts`;
    // And one before anything is copied, unless the source has the same model.
    const first = this.body.reuse && isSameModel(source, config) ? 0 : 1;
    return figure(calls + first, parts.basis === 'estimated' ? 'estimated' : 'sampled', how);
  }

  private usd({ tokens }: Volume) {
    const { model } = this.known.pair.config;
    const price = priceOf(model, this.settings.modelPrices);
    if (!price) {
      const variable = `REEMBED_MODEL_PRICES={"${model.provider}/${model.name}": …}`;
      return unknown(`the price of ${model.provider}/${model.name} is not known: set ${variable}`);
    }
    if (price.usdPerMillionTokens === 0) return exact(0, 'the model costs nothing');
    if (tokens.value === null || tokens.basis === null) return unknown(tokens.from);
    const value = (tokens.value * price.usdPerMillionTokens) / 1e6;
    return figure(value, tokens.basis, `$${price.usdPerMillionTokens} per million tokens`);
  }

  /** Null if the provider has no batches. */
  private batchUsd(volume: Volume) {
    const share = batchPriceShareOf(this.known.pair.config.model);
    if (share === undefined) return null;
    const { value, basis, from } = this.usd(volume);
    return { value: value === null ? null : value * share, basis, from: `${from}; ${share * 100} % of it in batches` };
  }

  private times(given: { volume: Volume; calls: CallPlan; hnsw: ReindexPlan['hnsw']; distance: number }) {
    const { volume, calls, hnsw, distance } = given;
    const { pair, sample, probe } = this.known;
    const { model } = pair.config;
    const copied = volume.copied.value ?? 0;
    const parts = volume.parts.value ?? 0;
    const embedded = copied - (volume.reused.value ?? 0) - (volume.failing.value ?? 0);
    const sampledTexts = sample.copies.reduce((sum, texts) => sum + texts.length, 0);
    const stated = `${model.provider}/${model.name}`;
    return timeOf({
      ...{ copied, embedded, parts, calls, probe, hnsw },
      destVectors: this.destVectors(volume),
      dimensions: model.dimensions,
      limitTokens: sampledTexts === 0 ? 0 : (parts * sample.textBytes) / sampledTexts / BYTES_PER_TOKEN,
      prepareMs: sample.prepareMs / Math.max(1, sample.copies.length),
      payloadBytes: sample.bytes / Math.max(1, sample.objects),
      distanceMicroseconds: distance,
      limit: Object.hasOwn(this.settings.modelLimits, stated) ? this.settings.modelLimits[stated] : undefined,
      ratePerSecond: this.body.ratePerSecond,
      ...{ indexBuild: this.body.indexBuild, batchApi: this.body.batchApi },
    });
  }

  private warnings({ failing, copied, longTexts, window }: Volume): string[] {
    const { sample, probe, pair } = this.known;
    const { maxFailed, batchApi } = this.body;
    const warnings: string[] = shutdownWarnings(this.known.pair.config.model);
    const allowed =
      maxFailed < 0 ? Number.POSITIVE_INFINITY : maxFailed < 1 ? maxFailed * (copied.value ?? 0) : maxFailed;
    if ((failing.value ?? 0) > allowed) {
      const reasons = [...sample.failures].map(([reason, count]) => `${count} ${reason}`).join(', ');
      warnings.push(`more objects fail than maxFailed allows: of ${sample.objects} sampled ${reasons}`);
    }
    if ((longTexts.value ?? 0) > 0) {
      const cut = 'the provider cuts them off, or refuses them, and then they are cut in two';
      warnings.push(
        `${longTexts.value} texts are longer than the ${window} tokens that ${pair.config.model.name} reads: ${cut}`,
      );
    }
    if (batchApi)
      warnings.push('in batches, the provider may take a day for each of them: the time is that of usual calls');
    if (probe?.failed && !modelObstacles(probe).length) warnings.push(`the probe ended early: ${probe.failed.message}`);
    return warnings;
  }
}

function memoryWarnings(
  { fits, memory, allowed }: ReindexPlan['hnsw'],
  { chosen }: ReindexPlan['indexBuild'],
): string[] {
  return fits === false && chosen === 'after' ? [memoryWarning(memory.value ?? 0, allowed)] : [];
}

/** An error of the model that a reindex would meet too. One about a text or a limit concerns only the probe. */
function modelObstacles(probe: Probe | null): Obstacle[] {
  const error = probe?.failed;
  if (!(error instanceof ReembedError)) return [];
  if (['ModelRejectedInput', 'ModelRateLimited'].includes(error.type)) return [];
  const effect = error.retryable ? 'waits' : 'fails';
  return [{ reason: error.type, effect, field: 'destModel', detail: error.message }];
}
