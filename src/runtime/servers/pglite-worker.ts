/** The thread in which PGlite runs, so that building an index does not block the event loop of the process. */
import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { setUpWhole } from './pglite-draft.ts';
import { PgliteServer } from './pglite-server.ts';

/** The start parameters of the thread. */
export interface PgliteWorkerData {
  /** A folder; null for a database in memory. */
  dataDir: string | null;
  /** The file of a dump to load into memory; null for an empty database. */
  image: string | null;
  socketPath: string;
}

/** The messages of the thread. */
export type PgliteWorkerMessage = { kind: 'ready' } | { kind: 'stopped' };

async function setUp(folder: string): Promise<void> {
  const db = await PGlite.create({ dataDir: folder, extensions: { vector } });
  await db.close();
}

const { dataDir, image, socketPath } = workerData as PgliteWorkerData;
if (dataDir !== null) await setUpWhole(dataDir, setUp);
const loadDataDir = image === null ? undefined : new Blob([await readFile(image)]);
const db = await PGlite.create({ dataDir: dataDir ?? 'memory://', loadDataDir, extensions: { vector } });
const server = new PgliteServer(db);
await server.listen(socketPath);

const tell = (message: PgliteWorkerMessage) => parentPort?.postMessage(message);
parentPort?.once('message', async () => {
  await server.close();
  await db.close();
  tell({ kind: 'stopped' });
});
tell({ kind: 'ready' });
