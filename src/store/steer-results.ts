import { sql } from 'kysely';
import type { TaskStatus } from '../contract/status.ts';
import type { SteerOutcome, SteerResult } from '../contract/steer-tasks.ts';
import type { TaskType } from '../contract/task-types.ts';
import type { Db } from './database.ts';

/** A task that is to be steered, as it was when the targets were looked up. */
export interface SteerTarget {
  taskId: string;
  /** Null, like the other fields, for an id that no list contained. */
  type: TaskType | null;
  status: TaskStatus | null;
  runId: string | null;
}

export type SteerOutcomeOf = Pick<SteerResult, 'taskId' | 'reason' | 'detail'> & { outcome: SteerOutcome };

/** Adds targets to a steering task; keeps those that already exist. */
export async function stageTargets(db: Db, taskId: string, targets: readonly SteerTarget[]): Promise<void> {
  if (targets.length === 0) return;
  await sql`
    insert into reembed.steer_results (task_id, target_id, type, status, run_id)
    select ${taskId}, *
    from unnest(
      ${targets.map((target) => target.taskId)}::text[],
      ${targets.map((target) => target.type)}::text[],
      ${targets.map((target) => target.status)}::text[],
      ${targets.map((target) => target.runId)}::text[]
    )
    on conflict (task_id, target_id) do nothing`.execute(db);
}

/** Returns some targets without an outcome, by id; `tried` says whether an earlier attempt may have steered them. */
export async function nextTargets(
  db: Db,
  taskId: string,
  limit: number,
): Promise<(SteerTarget & { tried: boolean })[]> {
  const { rows } = await sql<SteerTarget & { tried: boolean }>`
    select target_id as "taskId", type, status, run_id as "runId", tried
    from reembed.steer_results
    where task_id = ${taskId} and outcome is null
    order by target_id
    limit ${limit}`.execute(db);
  return rows;
}

/** Marks targets before they are steered: one that is marked but has no outcome may have been steered. */
export async function markTried(db: Db, taskId: string, targetIds: readonly string[]): Promise<void> {
  await sql`
    update reembed.steer_results
    set tried = true
    where task_id = ${taskId} and target_id = any(${targetIds}::text[])`.execute(db);
}

export async function recordOutcomes(db: Db, taskId: string, outcomes: readonly SteerOutcomeOf[]): Promise<void> {
  if (outcomes.length === 0) return;
  await sql`
    update reembed.steer_results as result
    set outcome = incoming.outcome, reason = incoming.reason, detail = incoming.detail
    from unnest(
      ${outcomes.map((one) => one.taskId)}::text[],
      ${outcomes.map((one) => one.outcome)}::text[],
      ${outcomes.map((one) => one.reason)}::text[],
      ${outcomes.map((one) => one.detail.replaceAll('\u0000', '\ufffd').slice(0, 2_000))}::text[]
    ) as incoming (target_id, outcome, reason, detail)
    where result.task_id = ${taskId} and result.target_id = incoming.target_id`.execute(db);
}

/** Resets failed targets so that they are tried again. */
export async function reopenFailed(db: Db, taskId: string): Promise<void> {
  await sql`
    update reembed.steer_results
    set outcome = null, reason = null, detail = ''
    where task_id = ${taskId} and outcome = 'failed'`.execute(db);
}

/** Counts the targets of a steering task, in total and by outcome. */
export async function countOutcomes(
  db: Db,
  taskId: string,
): Promise<{ total: number; byOutcome: Partial<Record<SteerOutcome, number>> }> {
  const { rows } = await sql<{ outcome: SteerOutcome | null; targets: number }>`
    select outcome, count(*) as targets
    from reembed.steer_results
    where task_id = ${taskId}
    group by outcome
    order by outcome`.execute(db);
  return {
    total: rows.reduce((sum, { targets }) => sum + targets, 0),
    byOutcome: Object.fromEntries(
      rows.flatMap(({ outcome, targets }) => (outcome === null ? [] : [[outcome, targets]])),
    ),
  };
}

export async function listSteerResults(
  db: Db,
  taskId: string,
  page: { after: string | null; limit: number },
): Promise<SteerResult[]> {
  const { rows } = await sql<SteerResult>`
    select target_id as "taskId", type, status, outcome, reason, detail
    from reembed.steer_results
    where task_id = ${taskId} and (${page.after}::text is null or target_id > ${page.after}::text collate "C")
    order by target_id
    limit ${page.limit}`.execute(db);
  return rows;
}

export async function dropSteerResults(db: Db, taskId: string): Promise<void> {
  await sql`delete from reembed.steer_results where task_id = ${taskId}`.execute(db);
}
