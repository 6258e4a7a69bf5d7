import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { type ApiDependencies, createApi } from '../../api/app.ts';
import { SideReads } from '../../api/reads/side-reads.ts';
import { SearchSampler } from '../../api/sampling/sampler.ts';
import type { ApiToken } from '../../contract/api-tokens.ts';
import { messageOf, ReembedError } from '../../contract/errors.ts';
import type { Registry } from '../../jobs/types.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import type { Models } from '../../models/models.ts';
import { openApiTokens } from '../../settings/api-tokens.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Db } from '../../store/database.ts';
import { SourceDatabases } from '../../store/sources/databases.ts';
import { encryptedData } from '../../temporal/encryption/data-converter.ts';
import { tellBroken } from '../database.ts';
import type { PlacedDatabases } from '../further-databases.ts';
import { isLoopback, startHttpServer } from '../http-server.ts';
import type { Components } from '../lifecycle.ts';
import type { ProcessContext } from '../process-context.ts';

export interface StartApiOptions {
  settings: Settings;
  client: Client;
  db: Db;
  /** For plans; default: `db`. */
  background?: Db;
  /** The further databases on which indexes are placed. */
  placed?: PlacedDatabases;
  models: Models;
  metrics: Metrics;
  /** The jobs, if this process knows them. */
  registry?: Registry | undefined;
  /** Address of Temporal's web UI; default: that of the settings. */
  temporalUi?: string | null;
  /** Use the next free port if the configured one is in use. */
  anyPort: boolean;
  /** Build the OpenAPI document before the API listens. */
  buildsDocument?: boolean;
  /** An additional token for this process only, if the settings require tokens. */
  ownToken?: ApiToken | undefined;
  /** How long requests may continue after a stop request. */
  graceMs: number;
}

/** Requires tokens if other machines can reach the API. @throws ReembedError `InvalidSetting` */
export function requireTokens({ host, apiTokens, apiTokensFile }: Settings): void {
  if (isLoopback(host) || apiTokens.length > 0 || apiTokensFile !== null) return;
  throw new ReembedError(
    'InvalidSetting',
    `REEMBED_API_TOKENS or REEMBED_API_TOKENS_FILE must be set because REEMBED_HOST is ${JSON.stringify(host)}: without tokens the API listens on a loopback address only`,
  );
}

function apiSettings(settings: Settings): ApiDependencies['settings'] {
  const { host, allowedHosts, corsOrigins, codecOrigins, bodyMb, searchSeconds, modelPrices, tokenizerDir } = settings;
  const { requestsPerMinute, concurrentRequests, eventStreams, vectorIndexAfterParts } = settings;
  return {
    host,
    allowedHosts,
    corsOrigins,
    codecOrigins,
    bodyBytes: bodyMb * 1024 * 1024,
    searchSeconds,
    vectorIndexAfterParts,
    modelPrices,
    tokenizerDir,
    limits: { perWindow: requestsPerMinute, windowMs: 60_000, atOnce: concurrentRequests, streams: eventStreams },
  };
}

/** Creates what searches the indexes of one database. */
function searchingIn(
  components: Components,
  db: Db,
  { settings, client, models, metrics }: Pick<StartApiOptions, 'settings' | 'client' | 'models' | 'metrics'>,
  log: ProcessContext['log'],
) {
  const reads = new SideReads({ db, models, metrics, log });
  components.add('shadow and canary reads', () => reads.close());
  const sampler = new SearchSampler({ db, metrics, log });
  components.add('sampled searches', () => sampler.flush());
  const { sourceConnections: allowed, env, searchSeconds } = settings;
  const sourceDatabases = new SourceDatabases({ db, allowed, env, onIdleError: tellBroken(log) });
  components.add('the databases of sources', () => sourceDatabases.close());
  return { db, client, reads, sampler, sourceDatabases, searchSeconds };
}

/** Starts the API and returns its address. */
export async function startApi(
  components: Components,
  {
    settings,
    client,
    db,
    background = db,
    placed,
    models,
    metrics,
    registry,
    temporalUi,
    anyPort,
    buildsDocument,
    graceMs,
    ownToken,
  }: StartApiOptions,
  { log }: ProcessContext,
): Promise<string> {
  const { tokens, close } = openApiTokens(settings, log);
  components.add('the API tokens', async () => close());
  const ownTokens = ownToken && tokens && (() => [...tokens(), ownToken]);
  const parts = { settings, client, models, metrics };
  const { reads, sampler, sourceDatabases } = searchingIn(components, db, parts, log);
  const further = (placed?.others ?? []).map((one) => {
    one.check().catch((error) => log.warn(`the database ${one.name} is not used yet: ${messageOf(error)}`));
    return { ...one, searching: searchingIn(components, one.db, parts, log) };
  });
  let stopping = false;
  const api = createApi({
    isStopping: () => stopping,
    db,
    client,
    models,
    metrics,
    reads,
    sampler,
    sourceDatabases,
    further,
    ...(placed && { names: placed.main.names, directory: placed.directory }),
    registry,
    taskQueue: settings.taskQueue,
    plan: { background, settings },
    log,
    codec: encryptedData(settings.temporal.encryptionKeys)?.payloadCodecs?.[0],
    settings: {
      apiTokens: ownTokens ?? tokens,
      temporalUi: temporalUi ?? settings.temporalUiUrl,
      ...apiSettings(settings),
      buildsDocument,
    },
  });
  const server = await startHttpServer({ fetch: api.fetch, host: settings.host, port: settings.port, anyPort });
  components.add('the API', async () => {
    stopping = true;
    server.drain();
    await sleep(settings.drainSeconds * 1_000);
    await server.stop(graceMs);
  });
  return server.url;
}
