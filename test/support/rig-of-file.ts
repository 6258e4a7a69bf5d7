import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll } from 'vitest';
import { openPostgresDatabase, type TestDatabase } from './databases.ts';
import { type Rig, startRig, startTemporal } from './rig.ts';

/** Starts a server, a database and workers for the tests of a file or of a `describe`, and stops them after these. */
export function rigOfFile(kind: Parameters<typeof startTemporal>[0]) {
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;
  beforeAll(async () => {
    [environment, database] = await Promise.all([startTemporal(kind), openPostgresDatabase()]);
    rig = await startRig({ environment, db: database.db });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });
  return {
    get environment() {
      return environment;
    },
    get db() {
      return database.db;
    },
    get rig() {
      return rig;
    },
  };
}
