import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll } from 'vitest';
import type { Tracker } from '../../src/contract/tasks.ts';
import { createRegistry, type Registry, type SentJob } from '../../src/jobs/index.ts';
import { openPostgresDatabase, type TestDatabase } from '../support/databases.ts';
import { seenWhen } from '../support/eventually.ts';
import { type Rig, type RigOptions, startRig, startTemporal } from '../support/rig.ts';

export interface JobWorld {
  readonly environment: TestWorkflowEnvironment;
  readonly registry: Registry;
  readonly rig: Rig;
  readonly database: TestDatabase;
}

/** A Temporal server of this kind and workers that know the tasks defined in the registry. */
export function useJobs(
  kind: 'dev' | 'time-skipping',
  define: (registry: Registry) => void,
  {
    jobs,
    temporal,
    ...options
  }: Partial<Omit<RigOptions, 'jobs'>> & {
    jobs?: Partial<RigOptions['jobs']>;
    temporal?: { dynamicConfig: string[] };
  } = {},
): JobWorld {
  const registry = createRegistry();
  let environment: TestWorkflowEnvironment;
  let database: TestDatabase;
  let rig: Rig;
  beforeAll(async () => {
    define(registry);
    [environment, database] = await Promise.all([startTemporal(kind, temporal), openPostgresDatabase()]);
    rig = await startRig({ environment, db: database.db, ...options, jobs: { ...jobs, registry } });
  });
  afterAll(async () => {
    await rig?.stop();
    await environment?.teardown();
    await database?.close();
  });
  return {
    registry,
    get environment() {
      return environment;
    },
    get rig() {
      return rig;
    },
    get database() {
      return database;
    },
  };
}

export function uniqueName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}

/** The tracker of a job once it matches. */
export async function infoWhen(job: SentJob<unknown>, fits: (tracker: Tracker) => boolean): Promise<Tracker> {
  return seenWhen(() => job.info(), fits, 'the tracker');
}
