import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SEARCH_ATTRIBUTES } from '../src/contract/names.ts';
import { startTemporalDevServer, type TemporalDevServer } from '../src/runtime/servers/temporal.ts';

/** Starts Temporal's dev server on a database file, like `reembed dev`. */
export async function startBenchTemporal(
  say: (line: string) => void,
): Promise<Pick<TemporalDevServer, 'address' | 'namespace' | 'stop'>> {
  const folder = mkdtempSync(path.join(tmpdir(), 'reembed-bench-temporal-'));
  const dbFilename = path.join(folder, 'temporal.db');
  const server = await startTemporalDevServer({
    dbFilename,
    searchAttributes: SEARCH_ATTRIBUTES,
    env: process.env,
    say,
  });
  return {
    address: server.address,
    namespace: server.namespace,
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
