import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { ActivityDependencies } from '../activities/index.ts';
import { MODEL_PATIENCE_MS } from '../activities/support/patience.ts';
import { durationMs } from '../contract/durations.ts';
import { withWellKnown } from '../contract/model-keys.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { observeModels } from '../metrics/models.ts';
import type { CallLimiter } from '../models/limited.ts';
import { createModels, type Models } from '../models/models.ts';
import type { ModelObserver, ObservedModel } from '../models/observed.ts';
import { priceOf } from '../models/prices.ts';
import { createLoader } from '../pipeline/load.ts';
import type { Settings } from '../settings/settings.ts';
import type { Db } from '../store/database.ts';
import { bookCall, pauseModel, pauseOfModel } from '../store/model-limits.ts';
import { SLICES } from '../store/protocol/slices.ts';
import { SourceDatabases } from '../store/sources/databases.ts';
import { traceModels } from '../tracing/models.ts';
import { createKnownTasks } from './known-tasks.ts';
import { localModelsDirOf } from './local-models.ts';
import { openWhenAway } from './open-limiter.ts';
import { createTaskSteerer } from './task-steerer.ts';

export interface ProcessParts {
  settings: Settings;
  db: Db;
  background: Db;
  client: Client;
  models: Models;
  metrics?: Metrics;
  log: Logger;
}

const both = (one: ModelObserver, other: ModelObserver): ModelObserver => ({
  called(...call) {
    one.called(...call);
    other.called(...call);
  },
  waited(...wait) {
    one.waited(...wait);
    other.waited(...wait);
  },
});

/** Creates the models of this process; keys are read from the environment on demand. */
export function createProcessModels(
  { env, databases, modelLimits, modelKeys, modelPrices }: Settings,
  db: Db,
  { metrics, log }: { metrics?: Metrics; log?: Logger } = {},
): Models {
  const usdOf = (model: ObservedModel, tokens: number) => {
    const price = priceOf(model, modelPrices);
    return price && (price.usdPerMillionTokens * tokens) / 1_000_000;
  };
  const limiter: CallLimiter = {
    book: (...call) => bookCall(db, ...call),
    pause: (model, forMs) => pauseModel(db, model, forMs),
    pauseOf: (model) => pauseOfModel(db, model),
  };
  const onAway = (error: unknown) =>
    log?.warn({ err: error }, 'the main database is away: models are called without its limits');
  return createModels({
    env,
    keys: withWellKnown(modelKeys),
    limiter: databases.length === 0 ? limiter : openWhenAway(limiter, onAway),
    limits: modelLimits,
    localModelsDir: localModelsDirOf(env),
    observer: metrics && both(observeModels(metrics, usdOf), traceModels),
  });
}

/** Builds the dependencies of a worker's activities. */
export function activityDependencies({
  settings,
  db,
  background,
  client,
  models,
  metrics,
  log,
}: ProcessParts): ActivityDependencies {
  return {
    db,
    background,
    models,
    metrics,
    log,
    client,
    tasks: createTaskSteerer(client),
    sources: new SourceDatabases({
      db,
      url: settings.databaseUrl,
      allowed: settings.sourceConnections,
      env: settings.env,
      onIdleError: (error) =>
        log.warn(`an idle connection of a source was lost and will be replaced: ${error.message}`),
    }),
    loader: createLoader({
      fileRoots: settings.fileRoots,
      allowPrivateAddresses: settings.allowPrivateAddresses,
      timeoutMs: settings.loadTimeoutSeconds * 1_000,
    }),
    cancelWorkflow: async (workflowId, runId) => {
      await client.workflow.getHandle(workflowId, runId).cancel();
    },
    ...createKnownTasks(client),
    settings: {
      maxConcurrentReindexes: settings.maxConcurrentReindexes,
      sliceObjects: SLICES.maxObjects,
      copyShare: settings.copySharePercent / 100,
      modelPatienceMs: MODEL_PATIENCE_MS,
      indexMemoryMb: settings.indexMemoryMb,
      vectorIndexAfterParts: settings.vectorIndexAfterParts,
      tombstoneRetentionSeconds: durationMs(settings.tombstoneRetention) / 1_000,
      modelPrices: settings.modelPrices,
      modelBudgets: settings.modelBudgets,
      batchApiTexts: settings.batchApiTexts,
      tokenizerDir: settings.tokenizerDir,
      sourceMaxChanges: settings.sourceMaxChanges,
    },
  };
}
