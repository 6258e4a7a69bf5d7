/** Writes the image of a migrated embedded database: `make-pglite-image.ts FILE`. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PgliteServer } from '../../../src/runtime/servers/pglite-server.ts';
import { openDatabase } from '../../../src/store/database.ts';
import { migrate } from '../../../src/store/migrate.ts';

const file = process.argv[2] as string;
const folder = await mkdtemp(path.join(tmpdir(), 'reembed-image-'));
const pglite = await PGlite.create({ dataDir: 'memory://', extensions: { vector } });
const server = new PgliteServer(pglite);
await server.listen(path.join(folder, '.s.PGSQL.5432'));
const db = openDatabase({
  connection: { host: folder, port: 5432, user: 'postgres', database: 'postgres' },
  maxConnections: 1,
});
await migrate(db);
await db.destroy();
await server.close();
const image = await pglite.dumpDataDir('none');
await pglite.close();
await writeFile(file, Buffer.from(await image.arrayBuffer()));
await rm(folder, { recursive: true });
