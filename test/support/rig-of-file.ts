import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll } from 'vitest';
import { openPostgresDatabase, type TestDatabase } from './databases.ts';
import { type Rig, type RigOptions, startRig, startTemporal } from './rig.ts';

/** Starts a server, a database and workers for the tests of a file or of a `describe`, and stops them after these. */
export function rigOfFile(
  kind: Parameters<typeof startTemporal>[0],
  options: Omit<RigOptions, 'environment' | 'db'> = {},
): { readonly rig: Rig } {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;
  beforeAll(async () => {
    [environment, database] = await Promise.all([startTemporal(kind), openPostgresDatabase()]);
    rig = await startRig({ ...options, environment, db: database.db });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });
  return {
    get rig() {
      return rig;
    },
  };
}
