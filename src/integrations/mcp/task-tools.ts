import { z } from 'zod';
import type { ReembedClient, TaskRow } from '../../client/client.ts';
import { taskTypeSchema } from '../../contract/task-types.ts';
import { type Tracker, taskStatusSchema } from '../../contract/tasks.ts';
import { plainText } from '../../contract/texts.ts';
import { cut } from '../bounded-hits.ts';
import { indexName } from './search-tools.ts';
import { type McpTool, mcpTool } from './tool.ts';

const MAX_TASKS = 50;
const MAX_FAILED = 50;
const MAX_ERRORS = 3;
/** Max. characters of one text, and of the `data` of a tracker as JSON. */
const TEXT_CHARS = 500;
const DATA_CHARS = 8_000;

const taskId = plainText(1_000).min(1).describe('Id of a task, from list_tasks.');
const reason = plainText(1_000).optional().describe('Why, for the people who look at the task later.');

export const TASK_TOOLS: McpTool[] = [
  mcpTool({
    name: 'list_tasks',
    title: 'List tasks',
    description: 'Lists tasks, such as writes and reindexes, newest first, with their statuses.',
    least: 'view',
    effect: 'reads',
    input: z.object({
      type: taskTypeSchema.optional(),
      status: taskStatusSchema.optional(),
      index: indexName.optional(),
      limit: z.int().min(1).max(MAX_TASKS).default(20),
      cursor: z.string().max(10_000).optional().describe('Of the previous page.'),
    }),
    call: async (client, filter) => {
      const { tasks, total, cursor } = await client.tasks.page(filter);
      return { total, cursor, tasks: tasks.map(rowOf) };
    },
  }),
  mcpTool({
    name: 'get_task',
    title: 'Inspect task',
    description: 'Returns the status of a task, what it does, how far it is, and its last errors.',
    least: 'view',
    effect: 'reads',
    input: z.object({ taskId }),
    call: async (client, input) => summaryOf(await client.tasks.info(input.taskId)),
  }),
  mcpTool({
    name: 'list_failed_items',
    title: 'List failed items',
    description: 'Lists the objects that a task could not write, with the reasons.',
    least: 'view',
    effect: 'reads',
    input: z.object({ taskId }),
    call: async (client, input) => {
      const { items, total } = await client.tasks.failedPage(input.taskId);
      const shown = items.slice(0, MAX_FAILED).map((item) => ({ ...item, detail: cut(item.detail, TEXT_CHARS) }));
      return { total, items: shown };
    },
  }),
  steering('pause', 'Pauses a task until it is resumed.', 'operate', 'changes'),
  steering('resume', 'Resumes a task that is paused, or that waits.', 'operate', 'changes'),
  steering('cancel', 'Ends a task: it writes nothing more. Not to be undone.', 'operate', 'ends', true),
  steering(
    'approve',
    'Approves a reindex that waits for an approval: the alias is switched to the new index. Only on the explicit word of a person.',
    'approve',
    'ends',
    true,
  ),
  steering(
    'reject',
    'Rejects a reindex that waits for an approval: it ends without a switch. Only on the explicit word of a person.',
    'approve',
    'ends',
    true,
  ),
];

type Verb = 'pause' | 'resume' | 'cancel' | 'approve' | 'reject';

function steering(
  verb: Verb,
  description: string,
  least: McpTool['least'],
  effect: McpTool['effect'],
  hasReason = false,
): McpTool {
  return mcpTool({
    name: `${verb}_task`,
    title: `${verb[0]?.toUpperCase()}${verb.slice(1)} task`,
    description,
    least,
    effect,
    input: hasReason ? z.object({ taskId, reason }) : z.object({ taskId }),
    call: async (client: ReembedClient, input: { taskId: string; reason?: string }) =>
      summaryOf(await client.tasks[verb](input.taskId, input.reason)),
  });
}

function rowOf({ id, type, status, detail = '', progress, createTime, updateTime }: TaskRow) {
  return { id, type, status, detail: cut(detail, TEXT_CHARS), progress, createTime, updateTime };
}

function summaryOf(tracker: Tracker) {
  const { attempts, maxAttempts, data, errors } = tracker;
  const shownData = JSON.stringify(data).length <= DATA_CHARS ? data : '(too large to show)';
  const shownErrors = errors.slice(-MAX_ERRORS).map(({ attempt, time, type, message }) => {
    return { attempt, time, type, message: cut(message, TEXT_CHARS) };
  });
  return { ...rowOf(tracker), attempts, maxAttempts, data: shownData, errors: shownErrors };
}
