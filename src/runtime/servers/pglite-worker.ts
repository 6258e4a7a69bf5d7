/** The thread in which PGlite lives, so that building an index does not block the event loop of the process. */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { setUpWhole } from './pglite-draft.ts';
import { PgliteServer } from './pglite-server.ts';

/** What the thread is told at its start. */
export interface PgliteWorkerData {
  /** A folder; null for a database in memory. */
  dataDir: string | null;
  socketPath: string;
}

/** What it tells. */
export type PgliteWorkerMessage = { kind: 'ready' } | { kind: 'stopped' };

async function setUp(folder: string): Promise<void> {
  const db = await PGlite.create({ dataDir: folder, extensions: { vector } });
  await db.close();
}

const { dataDir, socketPath } = workerData as PgliteWorkerData;
if (dataDir !== null) await setUpWhole(dataDir, setUp);
const db = await PGlite.create({ dataDir: dataDir ?? 'memory://', extensions: { vector } });
const server = new PgliteServer(db);
await server.listen(socketPath);

const tell = (message: PgliteWorkerMessage) => parentPort?.postMessage(message);
parentPort?.once('message', async () => {
  await server.close();
  await db.close();
  tell({ kind: 'stopped' });
});
tell({ kind: 'ready' });
