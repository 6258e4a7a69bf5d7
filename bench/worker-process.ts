import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { activityDependencies, createProcessModels } from '../src/runtime/parts.ts';
import { readSettings } from '../src/runtime/settings.ts';
import { bundleWorkflows, createWorkers } from '../src/runtime/worker.ts';
import { openDatabase } from '../src/store/database.ts';

export interface WorkerProcess {
  /** The most memory that it has had so far, in MB. */
  peakMemoryMb(): Promise<number>;
  stop(): Promise<void>;
}

/** The workers in a process of their own. */
export async function startWorkerProcess(options: {
  databaseUrl: string;
  temporalAddress: string;
}): Promise<WorkerProcess> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), {
    env: {
      ...process.env,
      DATABASE_URL: options.databaseUrl,
      TEMPORAL_ADDRESS: options.temporalAddress,
      REEMBED_INDEX_MEMORY_MB: '1000', // of Postgres, where the HNSW build of the larger sizes would take hours with less
    },
  });
  await once(child, 'message');
  return {
    async peakMemoryMb() {
      child.send('memory');
      const [mb] = (await once(child, 'message')) as [number];
      return mb;
    },
    async stop() {
      child.send('stop');
      await once(child, 'exit');
    },
  };
}

async function work(): Promise<void> {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
  });
  const settings = readSettings(process.env);
  const db = openDatabase({ url: process.env.DATABASE_URL ?? '' });
  const connection = await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS });
  const workers = await createWorkers({
    connection,
    namespace: 'default',
    taskQueue: settings.taskQueue,
    workflowBundle: await bundleWorkflows(),
    dependencies: activityDependencies({
      settings,
      db,
      client: new Client({ connection }),
      models: createProcessModels(settings, db),
      log: pino({ enabled: false }),
    }),
  });
  process.on('message', (message) => {
    if (message === 'memory') process.send?.(Math.round(process.resourceUsage().maxRSS / 1_024));
    else workers.shutdown();
  });
  process.on('disconnect', () => process.exit(1));
  process.send?.('ready');
  await workers.run();
  await connection.close();
  await db.destroy();
  process.exit(0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await work();
