import type { Context } from 'hono';
import type { z } from 'zod';
import { type TaskRow, trackerOfRow } from '../../client/temporal/index.ts';
import { type TaskType, type Tracker, taskListSchema, trackerSchema } from '../../contract/tasks.ts';

/** How trackers are answered, where a program wants its own form of them. */
export interface TaskResponse<S extends z.ZodType = z.ZodType> {
  /** Checks, and documents, what `convert` returns. */
  schema: S;
  /** The tracker as it is if absent: the schema then picks its fields. */
  convert?: (tracker: Tracker) => z.input<S>;
}

/** Writes trackers as answers. */
export interface Responder {
  trackerSchema: z.ZodType;
  listSchema: z.ZodType;
  toBody(tracker: Tracker): unknown;
  /** Of a list, which knows less of each task. */
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
    // Not the caller's mistake: the task is as it was, only its answer cannot be written.
    throw new Error(`respond.schema refuses the answer for the task ${tracker.id}`, { cause: parsed.error });
  };
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
