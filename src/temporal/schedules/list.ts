import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import type { ScheduleList } from '../../contract/schedules.ts';
import { callTemporal } from '../call.ts';
import { fromCursor, toCursor } from '../lists/cursor.ts';
import { idPrefixOf, type ScheduleSignature, signatureOf } from './ids.ts';
import { findSchedule } from './schedules.ts';
import { toSchedule } from './view.ts';

export interface SchedulePage {
  taskQueue: string;
  /** Only the schedules of this job. */
  name?: string;
  limit?: number;
  /** Cursor from a previous page. */
  cursor?: string | null;
}

const DEFAULT_LIMIT = 50;
const DESCRIBED_AT_ONCE = 8;

/**
 * Lists the schedules of an application with their current state. A schedule that was just created may be missing.
 * Errors: `InvalidInput` for the cursor of another list, `TemporalUnavailable`.
 */
export async function listSchedules(client: Client, page: SchedulePage): Promise<ScheduleList> {
  const { taskQueue, name, limit = DEFAULT_LIMIT, cursor } = page;
  const prefix = idPrefixOf(taskQueue, name);
  const request = {
    namespace: client.options.namespace,
    query: `ScheduleId STARTS_WITH '${prefix}'`,
    maximumPageSize: limit,
    nextPageToken: fromCursor(prefix, cursor),
  };
  const answer = await callTemporal(client, '', () => client.workflowService.listSchedules(request));
  const signatures = (answer.schedules ?? []).flatMap(({ scheduleId }) => signatureOf(scheduleId ?? '') ?? []);
  const atOnce = pLimit(DESCRIBED_AT_ONCE);
  const look = async (signature: ScheduleSignature) => {
    const found = await findSchedule(client, signature);
    // It may have been removed in the meantime.
    return found === undefined ? [] : [toSchedule(found, signature)];
  };
  const schedules = await atOnce.map(signatures, look);
  return { schedules: schedules.flat(), cursor: toCursor(prefix, answer.nextPageToken ?? new Uint8Array()) };
}

/** Yields all schedules, reading pages on demand. */
export async function* allSchedules(client: Client, page: Omit<SchedulePage, 'cursor'>) {
  let cursor: string | null = null;
  do {
    const list: ScheduleList = await listSchedules(client, { ...page, cursor });
    yield* list.schedules;
    cursor = list.cursor;
  } while (cursor !== null);
}
