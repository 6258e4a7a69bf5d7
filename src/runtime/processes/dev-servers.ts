import path from 'node:path';
import { SEARCH_ATTRIBUTES } from '../../contract/names.ts';
import type { Settings } from '../../settings/settings.ts';
import type { TemporalSettings } from '../../settings/temporal.ts';
import { type DatabaseObserver, type DatabaseOptions, type Db, openDatabase } from '../../store/database.ts';
import { migrateDatabase, openWorkerDatabases, tellBroken } from '../database.ts';
import { migrateFurther } from '../further-databases.ts';
import type { Components } from '../lifecycle.ts';
import type { ProcessContext } from '../process-context.ts';
import { type PgliteDatabase, startPglite } from '../servers/pglite.ts';
import { startTemporalDevServer } from '../servers/temporal.ts';

const TEMPORAL_PORT = 7233;
const TEMPORAL_UI_PORT = 8233;

export interface DevServers {
  db: Db;
  background: Db;
  temporal: TemporalSettings;
  /** Null if `dev` did not start the Temporal server. */
  temporalUi: string | null;
}

/**
 * Starts the database and the Temporal server in parallel in the data directory, unless the settings name running ones.
 */
export async function startDevServers(
  components: Components,
  settings: Settings & { temporalPort?: number | undefined },
  context: ProcessContext,
  observer?: DatabaseObserver,
): Promise<DevServers> {
  const [database, temporal] = await Promise.allSettled([
    openDevDatabase(settings, context, observer),
    startDevTemporal(settings, context),
  ]);
  // In reverse stop order; a started server is stopped even if the other one failed to start.
  if (database.status === 'fulfilled') components.add('the database', database.value.stop, database.value.died);
  if (temporal.status === 'fulfilled') components.add('Temporal', temporal.value.stop, temporal.value.died);
  if (database.status === 'rejected') throw database.reason;
  if (temporal.status === 'rejected') throw temporal.reason;
  const { db, background } = database.value;
  return { db, background, temporal: temporal.value.settings, temporalUi: temporal.value.ui };
}

async function openDevDatabase(settings: Settings, { log, say, signal }: ProcessContext, observer?: DatabaseObserver) {
  const server = settings.databaseUrl
    ? null
    : await startPglite({ dataDir: path.join(settings.dataDir, 'postgres'), say, signal });
  const { db, background, close } = server
    ? openEmbedded(server.connection, { onIdleError: tellBroken(log), observer, history: settings.objectHistory })
    : openWorkerDatabases(settings, log, observer);
  const stop = async () => {
    await close();
    await server?.stop();
  };
  try {
    const ran = await migrateDatabase(db);
    if (ran.length > 0) log.info({ migrations: ran }, 'database is up to date');
    await migrateFurther(settings, db, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { db, background, stop, died: server?.died };
}

/** Opens the embedded database. It runs one statement at a time, so its connections are not divided. */
function openEmbedded(
  connection: PgliteDatabase['connection'],
  options: Pick<DatabaseOptions, 'onIdleError' | 'observer' | 'history'>,
) {
  const db = openDatabase({ connection, maxConnections: connection.max, ...options });
  return { db, background: db, close: () => db.destroy() };
}

async function startDevTemporal(
  settings: Settings & { temporalPort?: number | undefined },
  { say, signal }: ProcessContext,
) {
  const given = settings.temporal;
  if (given.addressGiven) return { settings: given, ui: null, stop: async () => {}, died: undefined };
  const server = await startTemporalDevServer({
    dbFilename: path.join(settings.dataDir, 'temporal.db'),
    port: settings.temporalPort ?? TEMPORAL_PORT,
    uiPort: TEMPORAL_UI_PORT,
    namespace: given.namespace,
    searchAttributes: SEARCH_ATTRIBUTES,
    env: settings.env,
    say,
    signal,
  });
  const { address, namespace } = server;
  return {
    // Without the keys and certificates of another server in a configuration file.
    settings: {
      connection: { address },
      address,
      namespace,
      encryptionKeys: given.encryptionKeys,
      addressGiven: false,
      isDefault: false,
    },
    ui: server.uiUrl,
    stop: server.stop,
    died: server.died,
  };
}
