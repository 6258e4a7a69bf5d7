import type { Client } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import type { Embedder } from '../contract/embedder.ts';
import type { ModelPrices } from '../contract/model-prices.ts';
import type { ModelConfig } from '../contract/models.ts';
import type { Registry } from '../jobs/types.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Db } from '../store/database.ts';
import type { Directory, Names } from '../store/placement/directory.ts';
import type { SourceDatabases } from '../store/sources/databases.ts';
import type { HealthChecks } from './health.ts';
import type { AuthOptions } from './middleware/auth.ts';
import type { RequestLimits } from './middleware/limits.ts';
import type { Place } from './places/places.ts';
import type { ApiLog } from './problems.ts';
import type { SideReads } from './reads/side-reads.ts';
import type { SearchSampler } from './sampling/sampler.ts';
import type { SourceFollowing } from './source-following.ts';
import type { PlanOptions } from './tasks/index.ts';

export interface ApiDependencies {
  db: Db;
  client: Client;
  models: { embedder(config: ModelConfig): Embedder };
  taskQueue: string;
  /** Known jobs, so that calls are checked before anything starts; without it workers check them. */
  registry?: Registry | undefined;
  /** Codec of the codec endpoint; without it payloads are returned unchanged. */
  codec?: PayloadCodec | undefined;
  /** What the plan of a reindex uses. */
  plan?: PlanOptions | undefined;
  log: ApiLog;
  /** Metrics shown at `/metrics`, if the process has more than those of its API. */
  metrics?: Metrics;
  settings?: {
    /** Max bytes of a JSON body; default: `LIMITS.bodyBytes`. */
    bodyBytes?: number;
    /** Prices of models that override the known ones. */
    modelPrices?: ModelPrices;
    /** The folder with the files of tokenizers. */
    tokenizerDir?: string | null;
    /** Parts from which on workers give an index its HNSW index. */
    vectorIndexAfterParts?: number;
    /** Time limit of a search that sets none. */
    searchSeconds?: number;
    /** If set, every call needs one of them as `Authorization: Bearer …`. */
    apiTokens?: AuthOptions['tokens'] | undefined;
    /** Address of Temporal's web UI, for links to it. */
    temporalUi?: string | null;
    /** Folder of the built dashboard; default: where `npm run build` puts it. */
    dashboard?: string;
    /** Sites whose pages may call the API; default: none. */
    corsOrigins?: readonly string[];
    /** Sites whose pages may call the codec endpoint: that of the Temporal UI. */
    codecOrigins?: readonly string[];
    /** Address that the server listens on; also an accepted `Host`. */
    host?: string;
    /** Interval of the heartbeats of event streams; each one also checks the token again. */
    heartbeatMs?: number;
    /** Further accepted `Host` names; default: any if tokens are required. */
    allowedHosts?: readonly string[];
    /** Builds the OpenAPI document at once, which takes some 0.3 s, instead of at its first request. */
    buildsDocument?: boolean;
    /** Limits per token; default: none. */
    limits?: RequestLimits;
  };
  /** Shadow and canary reads of this process; default: new ones, whose last figures are lost when it ends. */
  reads?: SideReads;
  /** Samples searches; default: a new one, whose last searches are lost when it ends. */
  sampler?: SearchSampler;
  /** Databases of sources' tables; default: only `db`. */
  sourceDatabases?: SourceDatabases;
  /** Creates names in `db`; default: it is the only database. */
  names?: Names;
  /** Further databases on which indexes are placed. */
  further?: readonly Place[];
  /** Which of them has a name. */
  directory?: Directory;
  /** Starts and stops what follows sources; default: by workflows. */
  following?: SourceFollowing;
  /** Checks of `/readyz`; default: the database and Temporal. */
  health?: HealthChecks;
  /** How long a start is repeated while Temporal does not answer, in ms; default: 15,000, and 20,000 for jobs. */
  patienceMs?: number;
  /** Returns true once a stop was requested: `/readyz` then makes load balancers use another process. */
  isStopping?: () => boolean;
}
