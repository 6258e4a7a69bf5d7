import type { TestProject } from 'vitest/node';
import { SEARCH_ATTRIBUTES } from '../../../src/contract/names.ts';
import { startTemporalDevServer } from '../../../src/runtime/servers/temporal.ts';
import { say, share } from './share.ts';
import { TEMPORAL_VARIABLE } from './variables.ts';

/** One Temporal dev server for the whole run. */
export default async function setup(_: TestProject): Promise<() => Promise<void>> {
  const { value, release } = await share('temporal', async () => {
    const server = await startTemporalDevServer({ searchAttributes: SEARCH_ATTRIBUTES, env: process.env, say });
    return { value: server.address, stop: server.stop };
  });
  process.env[TEMPORAL_VARIABLE] = value;
  return release;
}
