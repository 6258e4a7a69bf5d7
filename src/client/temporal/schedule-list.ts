import type { Client } from '@temporalio/client';
import pLimit from 'p-limit';
import type { ScheduleList } from '../../contract/schedules.ts';
import { callTemporal } from './call.ts';
import { fromCursor, toCursor } from './cursor.ts';
import { idPrefixOf, type ScheduleSignature, signatureOf } from './schedule-ids.ts';
import { viewOf } from './schedule-view.ts';
import { findSchedule } from './schedules.ts';

export interface SchedulePage {
  taskQueue: string;
  /** Only those of this job. */
  name?: string;
  limit?: number;
  /** Of an earlier answer: where this one goes on. */
  cursor?: string | null;
}

const DEFAULT_LIMIT = 50;
const DESCRIBED_AT_ONCE = 8;

/**
 * The schedules of an application, each as it is now. One that was just made may be missing for a moment.
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
    // It may have been removed meanwhile.
    return found === undefined ? [] : [viewOf(found, signature)];
  };
  const schedules = await atOnce.map(signatures, look);
  return { schedules: schedules.flat(), cursor: toCursor(prefix, answer.nextPageToken ?? new Uint8Array()) };
}

/** All of them, page by page as they are asked for. */
export async function* allSchedules(client: Client, page: Omit<SchedulePage, 'cursor'>) {
  let cursor: string | null = null;
  do {
    const list: ScheduleList = await listSchedules(client, { ...page, cursor });
    yield* list.schedules;
    cursor = list.cursor;
  } while (cursor !== null);
}
