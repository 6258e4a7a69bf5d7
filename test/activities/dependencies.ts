import { Client, Connection } from '@temporalio/client';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import type { Embedder } from '../../src/contract/embedder.ts';
import { createModels } from '../../src/models/models.ts';
import { createLoader } from '../../src/pipeline/load.ts';
import { createTaskSteerer } from '../../src/runtime/task-steerer.ts';
import type { Db } from '../../src/store/database.ts';
import { SourceDatabases } from '../../src/store/sources/databases.ts';
import { silentLog } from '../support/rig.ts';

/** The dependencies of activities, on a database, with a replaceable model; without Temporal. */
export function givenDependencies(db: Db, embed: () => Embedder['embed'] | undefined): ActivityDependencies {
  const models = createModels({ env: {} });
  const client = new Client({ connection: Connection.lazy() });
  return {
    db,
    background: db,
    models: {
      embedder: (config) => {
        const usual = models.embedder(config);
        return { ...usual, embed: (...args) => (embed() ?? usual.embed.bind(usual))(...args) };
      },
    },
    loader: createLoader({ fileRoots: [], allowPrivateAddresses: true, timeoutMs: 5_000 }),
    log: silentLog,
    client,
    tasks: createTaskSteerer(client),
    sources: new SourceDatabases({ db, url: null, allowed: [], env: {} }),
    cancelWorkflow: async () => {},
    isTaskKnown: async () => true,
    isStagingUsed: async () => true,
    settings: {
      tombstoneRetentionSeconds: 0,
      maxConcurrentReindexes: 100,
      sliceObjects: 10_000,
      copyShare: 1,
      modelPatienceMs: 0,
      indexMemoryMb: 16,
      vectorIndexAfterParts: 5_000,
    },
  };
}
