import type { Context } from 'hono';
import type { z } from 'zod';
import { type TaskRow, trackerOfRow } from '../../client/temporal/index.ts';
import { type TaskType, type Tracker, taskListSchema, trackerSchema } from '../../contract/tasks.ts';

/** How trackers are answered, where a program wants its own form of them. */
export interface TaskResponse {
  /** Checks, and documents, what `convert` returns. */
  schema: z.ZodType;
  /** The tracker as is if not given: the schema then picks its fields. */
  convert?: (tracker: Tracker) => unknown;
}

/** Writes trackers as answers. */
export interface Responder {
  trackerSchema: z.ZodType;
  listSchema: z.ZodType;
  toBody(tracker: Tracker): unknown;
  /** Of a list, which knows less of each task. */
  rowToBody(row: TaskRow): unknown;
}

export function createResponder(respond: TaskResponse | undefined): Responder {
  if (!respond) {
    const same = <T>(body: T) => body;
    return { trackerSchema, listSchema: taskListSchema, toBody: same, rowToBody: same };
  }
  const { schema, convert = (tracker) => tracker } = respond;
  const toBody = (tracker: Tracker) => schema.parse(convert(tracker));
  return {
    trackerSchema: schema,
    listSchema: taskListSchema.extend({ tasks: schema.array() }),
    toBody,
    rowToBody: (row) => toBody(trackerOfRow(row)),
  };
}

/** Names an operation in the OpenAPI description: `cancelTask`, or of one type `cancelDeleteIndexTask`. */
export function operationId(verb: string, type?: TaskType): string {
  return `${verb}-${type ? `${type}-` : ''}task`.replace(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase());
}

/** JSON whose form the responder's schema, rather than the compiler, knows. */
export function answer(c: Context, body: unknown, status: 200 | 202 = 200, headers: Record<string, string> = {}) {
  return c.json(body as never, status, headers) as never;
}
