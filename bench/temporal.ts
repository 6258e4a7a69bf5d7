import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SEARCH_ATTRIBUTES } from '../src/contract/names.ts';
import { startTemporalDevServer, type TemporalDevServer } from '../src/runtime/servers/temporal.ts';

export interface BenchTemporal extends Pick<TemporalDevServer, 'address' | 'namespace' | 'stop'> {
  /** Where it publishes its metrics, in the text format of Prometheus. */
  metricsUrl: string;
}

/** Starts Temporal's dev server on a database file, like `reembed dev`. */
export async function startBenchTemporal(say: (line: string) => void): Promise<BenchTemporal> {
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
    metricsUrl: metricsUrlIn(readFileSync(`${dbFilename}.log`, 'utf8')),
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The dev server prints the port that it chose. */
function metricsUrlIn(printed: string): string {
  const [, url] = /Temporal Metrics: +(http\S+)/.exec(printed) ?? [];
  if (url === undefined) throw new Error('the Temporal dev server does not say where its metrics are');
  return url.replace('localhost', '127.0.0.1');
}
