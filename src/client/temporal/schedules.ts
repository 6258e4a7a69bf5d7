import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
} from '@temporalio/client';
import { ReembedError } from '../../contract/errors.ts';
import type { Schedule } from '../../contract/schedules.ts';
import { callTemporal, isInvalidArgument, isType } from './call.ts';
import { type ScheduleSignature, scheduleIdOf } from './schedule-ids.ts';
import { badField, isAsWanted, partsOf, type ScheduleWish } from './schedule-parts.ts';
import { viewOf } from './schedule-view.ts';

export type { ScheduleWish } from './schedule-parts.ts';

export type PutOutcome = 'created' | 'updated' | 'unchanged' | 'kept';

/** How often a create and an update may find that the other one was needed. */
const TRIES = 3;

/**
 * Makes a schedule, or changes the one of this name and key as `ifExists` says. One that is as wanted is not touched,
 * and a person's pause stays unless `paused` is said. Errors: `ScheduleExists`, `InvalidInput` for times that Temporal
 * refuses, `TemporalUnavailable`.
 *
 * @example
 * await putSchedule(client, { taskQueue: 'reembed', name: 'expiry-check', key: 'default', input: null, ...times });
 */
export async function putSchedule(
  client: Client,
  wish: ScheduleWish,
): Promise<{ schedule: Schedule; outcome: PutOutcome }> {
  for (let attempt = 1; ; attempt++) {
    const found = await findSchedule(client, wish);
    if (found === undefined) {
      if (await create(client, wish)) return { schedule: await getSchedule(client, wish), outcome: 'created' };
    } else {
      const schedule = viewOf(found, wish);
      if (wish.ifExists === 'keep') return { schedule, outcome: 'kept' };
      if (wish.ifExists === 'refuse') throw existsError(wish);
      // Changed by hand, one that the code declares is still one that it declares.
      const wanted = { ...wish, declared: wish.declared ?? schedule.declared };
      if (isAsWanted(schedule, found, wanted)) return { schedule, outcome: 'unchanged' };
      if (await update(client, wanted, schedule)) {
        return { schedule: await getSchedule(client, wish), outcome: 'updated' };
      }
    }
    // Others make and remove it at the same time.
    if (attempt >= TRIES) throw existsError(wish);
  }
}

/** Errors: `ScheduleNotFound`, `TemporalUnavailable`. */
export async function getSchedule(client: Client, signature: ScheduleSignature): Promise<Schedule> {
  const found = await findSchedule(client, signature);
  if (found === undefined) throw notFoundError(signature);
  return viewOf(found, signature);
}

/** Undefined if there is none. */
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

/** Removes a schedule; runs that it has started go on. Errors: `ScheduleNotFound`, `TemporalUnavailable`. */
export async function removeSchedule(client: Client, signature: ScheduleSignature): Promise<void> {
  await handleCall(client, signature, (handle) => handle.delete());
}

/** Starts nothing any more until it is resumed. Errors: `ScheduleNotFound`, `TemporalUnavailable`. */
export async function pauseSchedule(client: Client, signature: ScheduleSignature, note = ''): Promise<Schedule> {
  await handleCall(client, signature, (handle) => handle.pause(note || 'paused'));
  return getSchedule(client, signature);
}

/** Goes on with the next time; what was due meanwhile is left out. Errors: `ScheduleNotFound`, `TemporalUnavailable`. */
export async function resumeSchedule(client: Client, signature: ScheduleSignature, note = ''): Promise<Schedule> {
  await handleCall(client, signature, (handle) => handle.unpause(note || 'resumed'));
  return getSchedule(client, signature);
}

/** Runs one call of a schedule's handle, with our errors. */
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

/** False if there is one by now. */
async function create(client: Client, wish: ScheduleWish): Promise<boolean> {
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

/** False if there is none any more. What others have set that we have no word for stays. */
async function update(client: Client, wish: ScheduleWish, before: Schedule): Promise<boolean> {
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

/** What Temporal says of times that it does not take: an error of the input. */
function refusalOf(error: unknown): unknown {
  if (error instanceof TypeError)
    return badField(/time ?zone/i.test(error.message) ? 'timeZone' : 'every', error.message);
  if (!isInvalidArgument(error)) return error;
  const cause = (error as Error).cause as { details?: string } | undefined;
  return new ReembedError(
    'InvalidInput',
    `Temporal refuses the schedule: ${cause?.details ?? (error as Error).message}`,
  );
}

function notFoundError({ name, key }: ScheduleSignature): ReembedError {
  return new ReembedError('ScheduleNotFound', `there is no schedule ${key} of the job ${name}`);
}

function existsError({ name, key }: ScheduleSignature): ReembedError {
  return new ReembedError(
    'ScheduleExists',
    `the job ${name} has a schedule ${key} already: take another key, or update it`,
  );
}
