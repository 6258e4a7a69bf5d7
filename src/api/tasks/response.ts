import type { Context } from 'hono';
import type { z } from 'zod';
import type { TaskType } from '../../contract/task-types.ts';
import { type Tracker, taskListSchema, trackerSchema } from '../../contract/tasks.ts';
import { type TaskRow, trackerOfRow } from '../../temporal/index.ts';
import type { TaskResponse } from './options.ts';

/** Writes trackers as answers. */
export interface Responder {
  trackerSchema: z.ZodType;
  listSchema: z.ZodType;
  toBody(tracker: Tracker): unknown;
  /** Converts a row of a list, which has fewer fields of each task. */
  rowToBody(row: TaskRow): unknown;
}

export function createResponder<S extends z.ZodType>(respond: TaskResponse<S> | undefined): Responder {
  if (!respond) {
    const same = <T>(body: T) => body;
    return { trackerSchema, listSchema: taskListSchema, toBody: same, rowToBody: same };
  }
  const { schema, convert = (tracker) => tracker as z.input<S> } = respond;
  const toBody = (tracker: Tracker) => {
    const parsed = schema.safeParse(convert(tracker));
    if (parsed.success) return parsed.data;
    // Not the caller's mistake: the task is unchanged, only its answer cannot be written.
    throw new Error(`respond.schema refuses the answer for the task ${tracker.id}`, { cause: parsed.error });
  };
  return {
    trackerSchema: schema,
    listSchema: taskListSchema.extend({ tasks: schema.array() }),
    toBody,
    rowToBody: (row) => toBody(trackerOfRow(row)),
  };
}

/** Names an operation in the OpenAPI document: `cancelTask`, or `cancelDeleteIndexTask` for one type. */
export function operationId(verb: string, type?: TaskType): string {
  return `${verb}-${type ? `${type}-` : ''}task`.replace(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase());
}

/** Answers with JSON whose type is known to the responder's schema, not to the compiler. */
export function answer(c: Context, body: unknown, status: 200 | 202 = 200, headers: Record<string, string> = {}) {
  return c.json(body as never, status, headers) as never;
}
