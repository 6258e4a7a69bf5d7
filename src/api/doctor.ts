import { createRoute } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { DOCTOR_CHECKS, type Doctor, type DoctorCheck, doctorSchema, MAX_DETAILS } from '../contract/doctor.ts';
import { ReembedError } from '../contract/errors.ts';
import { shutdownWarnings } from '../contract/model-presets.ts';
import { followerIdOf } from '../contract/names.ts';
import { resolveVectorIndex } from '../contract/vector-index.ts';
import { SharedReads } from '../cpu/shared-reads.ts';
import type { Db } from '../store/database.ts';
import { nodeChecks } from '../store/doctor/nodes.ts';
import { serverChecks } from '../store/doctor/server.ts';
import { type ExaminedSource, examineSources, sourceFindings } from '../store/doctor/sources.ts';
import {
  beyondVectorIndex,
  estimatedParts,
  listWhole,
  tableChecks,
  withoutVectorIndex,
} from '../store/doctor/tables.ts';
import { listOldFailedTasks, listOldStagings } from '../store/orphaned-rows.ts';
import { graphBytes } from '../store/plan/build-time.ts';
import type { IndexRow } from '../store/schema.ts';
import { describeTask, retentionSeconds } from '../temporal/index.ts';
import { createRouter } from './create-router.ts';
import type { Place, Places } from './places/places.ts';
import { problemResponses } from './problems.ts';

const DAY_SECONDS = 86_400;
const MB = 1024 * 1024;
const OLD_SECONDS = 600;
/** Share of the connections from which on few are left. */
const USED_SHARE = 0.8;

interface DoctorDependencies {
  client: Client;
  places: Places;
  /** Settings of the workers; what depends on one that is not known is not checked. */
  settings: { indexMemoryMb?: number | undefined; vectorIndexAfterParts?: number | undefined };
}

interface Examined extends DoctorDependencies {
  db: Db;
  indexes: readonly IndexRow[];
  sources: readonly ExaminedSource[];
}

/** The check of whether the databases answer, without which no other is made. */
const AWAY = 'database-away';

/** How each check is made; it returns one text for each thing that it found. */
const CHECKS: Record<Exclude<DoctorCheck, typeof AWAY>, (examined: Examined) => string[] | Promise<string[]>> = {
  'pgvector-old': ({ db }) => serverChecks.pgvectorOld(db),
  'disk-unsafe': ({ db }) => serverChecks.diskUnsafe(db),
  'autovacuum-off': ({ db }) => serverChecks.autovacuumOff(db),
  'statement-timeout': ({ db }) => serverChecks.statementTimeout(db),
  'nodes-unfit': ({ db }) => nodeChecks.nodesUnfit(db),
  'nodes-behind': ({ db }) => nodeChecks.nodesBehind(db),
  'connections-few': ({ db }) => serverChecks.connectionsFew(db, USED_SHARE),
  'shared-memory-small': ({ db }) => serverChecks.sharedMemorySmall(db),
  'build-memory-small': buildMemorySmall,
  'transaction-old': ({ db }) => serverChecks.transactionOld(db, OLD_SECONDS),
  'lock-expired': ({ db }) => serverChecks.lockExpired(db),
  'vector-index-missing': async ({ db, indexes, settings: { vectorIndexAfterParts } }) =>
    vectorIndexAfterParts === undefined ? [] : withoutVectorIndex(db, indexes, vectorIndexAfterParts),
  'vector-index-impossible': ({ indexes }) => beyondVectorIndex(indexes),
  'index-invalid': ({ db }) => tableChecks.indexInvalid(db),
  'key-missing': ({ db }) => tableChecks.keyMissing(db),
  'tables-orphaned': ({ db }) => tableChecks.tablesOrphaned(db),
  'tables-missing': ({ db }) => tableChecks.tablesMissing(db),
  'rows-orphaned': rowsOrphaned,
  'source-stopped': ({ sources }) => sourceFindings('sourceStopped', sources),
  'source-broken': ({ sources }) => sourceFindings('sourceBroken', sources),
  'source-waiting': ({ sources }) => sourceFindings('sourceWaiting', sources),
  'source-unreachable': ({ sources }) => sourceFindings('sourceUnreachable', sources),
  'source-behind': ({ sources }) => sourceFindings('sourceBehind', sources),
  'source-failing': ({ sources }) => sourceFindings('sourceFailing', sources),
  'source-slow': ({ sources }) => sourceFindings('sourceSlow', sources),
  'source-token-missing': ({ sources }) => sourceFindings('sourceTokenMissing', sources),
  'model-ends': ({ indexes }) =>
    indexes.flatMap(({ name, model }) => shutdownWarnings(model).map((text) => `the index ${name}: ${text}`)),
  'retention-short': async ({ client }) => {
    const seconds = await retentionSeconds(client);
    return seconds < DAY_SECONDS ? [`the namespace ${client.options.namespace} keeps them for ${seconds} s`] : [];
  },
};

type Check = keyof typeof CHECKS;
/** Checks of Temporal, which all databases share. */
const SYSTEM_CHECKS: readonly Check[] = ['retention-short'];
const DATABASE_CHECKS = (Object.keys(CHECKS) as Check[]).filter((check) => !SYSTEM_CHECKS.includes(check));

async function buildMemorySmall({ db, indexes, settings: { indexMemoryMb } }: Examined): Promise<string[]> {
  const found: string[] = [];
  for (const index of indexMemoryMb === undefined ? [] : indexes) {
    const { no, name } = index;
    const hnsw = resolveVectorIndex(index);
    if (hnsw.kind === 'none') continue;
    const needed = Math.ceil(((await estimatedParts(db, no)) * graphBytes(hnsw)) / MB);
    if (needed > (indexMemoryMb ?? 0)) found.push(`the index ${name} needs about ${needed} MB of ${indexMemoryMb} MB`);
  }
  return found;
}

/** Looks at the oldest rows of some tasks only: each costs a call of Temporal. */
async function rowsOrphaned({ db, client, sources }: Examined): Promise<string[]> {
  const page = { after: '', olderThanSeconds: DAY_SECONDS, limit: MAX_DETAILS };
  const staged = (await listOldStagings(db, page)).map((staging) => staging.slice(0, staging.lastIndexOf('/')));
  const followers = new Set(sources.map(({ source }) => followerIdOf(source.name)));
  const found: string[] = [];
  for (const taskId of new Set([...staged, ...(await listOldFailedTasks(db, page))])) {
    if (!followers.has(taskId) && !(await isKnown(client, taskId))) found.push(`the task ${taskId}`);
  }
  return found;
}

async function isKnown(client: Client, taskId: string): Promise<boolean> {
  try {
    await describeTask(client, taskId);
    return true;
  } catch (error) {
    if (error instanceof ReembedError && error.type === 'TaskNotFound') return false;
    throw error;
  }
}

const doctor = createRoute({
  method: 'get',
  path: '/',
  operationId: 'doctor',
  tags: ['operation'],
  summary: 'What is wrong with the database, Temporal and the settings, or will hurt',
  description: 'Each finding says what it means and what to do. Nothing is changed.',
  responses: {
    200: { description: 'The findings, errors first.', content: { 'application/json': { schema: doctorSchema } } },
    ...problemResponses('DatabaseUnavailable', 'TemporalUnavailable'),
  },
});

/** Serves `GET /`: the findings of all checks. */
export function createDoctorRouter(dependencies: DoctorDependencies) {
  const shared = new SharedReads<Doctor>();
  const { places } = dependencies;
  const look = async ({ name, background: db, searching: { sourceDatabases } }: Place) => {
    const sources = await examineSources(db, sourceDatabases);
    const examined = { ...dependencies, db, indexes: await listWhole(db), sources };
    const checks = places.main.name === name ? DATABASE_CHECKS.concat(SYSTEM_CHECKS) : DATABASE_CHECKS;
    const found = new Map<DoctorCheck, string[]>();
    for (const check of checks) {
      const details = await CHECKS[check](examined);
      found.set(check, places.isSeveral ? details.map((detail) => `${name}: ${detail}`) : details);
    }
    return [{ name, found }];
  };
  const examine = async (): Promise<Doctor> => {
    const { items, unavailable = [] } = await places.collect(look, ({ name }) => name);
    const findings: Doctor['findings'] = [];
    for (const [check, facts] of Object.entries(DOCTOR_CHECKS) as [
      DoctorCheck,
      (typeof DOCTOR_CHECKS)[DoctorCheck],
    ][]) {
      const found = check === AWAY ? unavailable : items.flatMap((item) => item.found.get(check) ?? []);
      if (found.length === 0) continue;
      findings.push({ check, ...facts, count: found.length, details: found.slice(0, MAX_DETAILS) });
    }
    findings.sort((left, right) => left.severity.localeCompare(right.severity));
    return { checks: Object.keys(DOCTOR_CHECKS).length, findings };
  };
  return createRouter().openapi(doctor, async (c) => c.json(await shared.read('all', examine), 200));
}
