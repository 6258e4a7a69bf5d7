import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
} from '@temporalio/client';
import { invalidField, ReembedError } from '../../contract/errors.ts';
import type { Schedule } from '../../contract/schedules.ts';
import { callTemporal, isInvalidArgument, isType } from '../call.ts';
import { type ScheduleSignature, scheduleIdOf } from './ids.ts';
import { type DesiredSchedule, isAsWanted, partsOf } from './spec.ts';
import { toSchedule } from './view.ts';

export type { DesiredSchedule } from './spec.ts';

export type PutOutcome = 'created' | 'updated' | 'unchanged' | 'kept';

/** Max. attempts if others create and remove the schedule at the same time. */
const TRIES = 3;

/**
 * Creates a schedule, or changes the one of this name and key according to `ifExists`. Does not touch a schedule that
 * is already as wanted, and keeps a person's pause unless `paused` is set. Errors: `ScheduleExists`, `InvalidInput` for
 * times that Temporal rejects, `TemporalUnavailable`.
 *
 * @example
 * await putSchedule(client, { taskQueue: 'reembed', name: 'expiry-check', key: 'default', input: null, ...times });
 */
export async function putSchedule(
  client: Client,
  wish: DesiredSchedule,
): Promise<{ schedule: Schedule; outcome: PutOutcome }> {
  for (let attempt = 1; ; attempt++) {
    const found = await findSchedule(client, wish);
    if (found === undefined) {
      if (await create(client, wish)) return { schedule: await getSchedule(client, wish), outcome: 'created' };
    } else {
      const schedule = toSchedule(found, wish);
      if (wish.ifExists === 'keep') return { schedule, outcome: 'kept' };
      if (wish.ifExists === 'refuse') throw existsError(wish);
      // A declared schedule that is changed by hand stays declared.
      const wanted = { ...wish, declared: wish.declared ?? schedule.declared };
      if (isAsWanted(schedule, found, wanted)) return { schedule, outcome: 'unchanged' };
      if (await update(client, wanted, schedule)) {
        return { schedule: await getSchedule(client, wish), outcome: 'updated' };
      }
    }
    // Others create and remove it at the same time.
    if (attempt >= TRIES) throw existsError(wish);
  }
}

/** Returns a schedule. Errors: `ScheduleNotFound`, `TemporalUnavailable`. */
export async function getSchedule(client: Client, signature: ScheduleSignature): Promise<Schedule> {
  const found = await findSchedule(client, signature);
  if (found === undefined) throw notFoundError(signature);
  return toSchedule(found, signature);
}

/** Returns Temporal's description of a schedule; undefined if it does not exist. */
export async function findSchedule(
  client: Client,
  signature: ScheduleSignature,
): Promise<ScheduleDescription | undefined> {
  try {
    return await handleCall(client, signature, (handle) => handle.describe());
  } catch (error) {
    if (isType(error, 'ScheduleNotFound')) return undefined;
    throw error;
  }
}

/** Removes a schedule; its active runs continue. Errors: `ScheduleNotFound`, `TemporalUnavailable`. */
export async function removeSchedule(client: Client, signature: ScheduleSignature): Promise<void> {
  await handleCall(client, signature, (handle) => handle.delete());
}

/** Stops a schedule from starting runs until it is resumed. Errors: `ScheduleNotFound`, `TemporalUnavailable`. */
export async function pauseSchedule(client: Client, signature: ScheduleSignature, note = ''): Promise<Schedule> {
  await handleCall(client, signature, (handle) => handle.pause(note || 'paused'));
  return getSchedule(client, signature);
}

/** Resumes with the next time, without the missed ones. Errors: `ScheduleNotFound`, `TemporalUnavailable`. */
export async function resumeSchedule(client: Client, signature: ScheduleSignature, note = ''): Promise<Schedule> {
  await handleCall(client, signature, (handle) => handle.unpause(note || 'resumed'));
  return getSchedule(client, signature);
}

/** Runs one call of a schedule's handle and converts its errors. */
export async function handleCall<T>(
  client: Client,
  signature: ScheduleSignature,
  call: (handle: ReturnType<Client['schedule']['getHandle']>) => Promise<T>,
): Promise<T> {
  const scheduleId = scheduleIdOf(signature);
  try {
    return await callTemporal(client, scheduleId, () => call(client.schedule.getHandle(scheduleId)));
  } catch (error) {
    throw error instanceof ScheduleNotFoundError ? notFoundError(signature) : refusalOf(error);
  }
}

/** Creates a schedule; returns false if it exists by now. */
async function create(client: Client, wish: DesiredSchedule): Promise<boolean> {
  const scheduleId = scheduleIdOf(wish);
  const { paused = false, note = '' } = wish;
  const options = { scheduleId, state: { paused, note }, ...partsOf(wish) };
  try {
    await callTemporal(client, scheduleId, () => client.schedule.create(options));
    return true;
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return false;
    throw refusalOf(error);
  }
}

/** Updates a schedule; returns false if it no longer exists. Keeps settings from other tools that we do not support. */
async function update(client: Client, wish: DesiredSchedule, before: Schedule): Promise<boolean> {
  const { paused = before.paused, note = before.note } = wish;
  try {
    await handleCall(client, wish, (handle) =>
      handle.update(({ policies: { pauseOnFailure }, state: { remainingActions } }) => {
        const { policies, ...parts } = partsOf(wish);
        return { ...parts, policies: { ...policies, pauseOnFailure }, state: { paused, note, remainingActions } };
      }),
    );
    return true;
  } catch (error) {
    if (isType(error, 'ScheduleNotFound')) return false;
    throw error;
  }
}

/** Converts Temporal's rejection of times to an `InvalidInput` error. */
function refusalOf(error: unknown): unknown {
  if (error instanceof TypeError)
    return invalidField(/time ?zone/i.test(error.message) ? 'timeZone' : 'every', error.message);
  if (!isInvalidArgument(error)) return error;
  const cause = (error as Error).cause as { details?: string } | undefined;
  return new ReembedError(
    'InvalidInput',
    `Temporal rejects the schedule: ${cause?.details ?? (error as Error).message}`,
  );
}

function notFoundError({ name, key }: ScheduleSignature): ReembedError {
  return new ReembedError('ScheduleNotFound', `there is no schedule ${key} of the job ${name}`);
}

function existsError({ name, key }: ScheduleSignature): ReembedError {
  return new ReembedError(
    'ScheduleExists',
    `the job ${name} already has a schedule ${key}: use another key, or update it`,
  );
}
