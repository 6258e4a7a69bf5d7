import { z } from 'zod';
import { MAIN_DATABASE } from './databases.ts';
import { momentSchema } from './task-bodies.ts';

/** What the API knows about the servers and workers that it needs. */

export const queueHealthSchema = z.object({
  queue: z
    .string()
    .describe(
      '`control` and `embed` for the tasks of indexes, with `-at-NAME` for those of a database beside the main one; `jobs-…` for a queue of jobs.',
    ),
  kind: z.enum(['workflow', 'activity']),
  workers: z.int().min(0).describe('Workers that take work from it now.'),
  backlog: z.int().min(0).describe('Approximate number of pieces of work that wait for a worker.'),
  backlogAgeSeconds: z.number().min(0).describe('How long the oldest of them has waited.'),
});
export type QueueHealth = z.output<typeof queueHealthSchema>;

const answers = z.object({ answers: z.boolean().describe('Whether it answered just now.') });

export const serverHealthSchema = z
  .object({
    checkedTime: momentSchema,
    database: answers,
    databases: z
      .array(answers.extend({ name: z.string() }))
      .optional()
      .describe('Each database, if there are several; `database` is the main one.'),
    temporal: answers,
    queues: z.array(queueHealthSchema).nullable().describe('Null while Temporal does not say.'),
  })
  .meta({
    id: 'ServerHealth',
    description: 'Whether Postgres, Temporal and the workers answer; checked at most once a second.',
  });
export type ServerHealth = z.output<typeof serverHealthSchema>;

/** A part that does not work, what that means, and what to do. */
export interface HealthProblem {
  part: 'database' | 'temporal' | 'workers';
  title: string;
  means: string;
  advice: string;
}

const DATABASE: HealthProblem = {
  part: 'database',
  title: 'Postgres does not answer',
  means: 'Searches fail, and tasks wait and continue by themselves.',
  advice: 'Start the server that DATABASE_URL names, or check the network to it.',
};

const TEMPORAL: HealthProblem = {
  part: 'temporal',
  title: 'Temporal does not answer',
  means: 'Tasks cannot be started, listed or steered. Searches continue.',
  advice: 'Start the server that TEMPORAL_ADDRESS names, or check the network to it.',
};

/** Returns what does not work, the most important first. */
export function healthProblems({ database, databases = [], temporal, queues }: ServerHealth): HealthProblem[] {
  const problems: HealthProblem[] = [];
  if (!database.answers) problems.push(DATABASE);
  const away = databases.filter(({ name, answers }) => name !== MAIN_DATABASE && !answers).map(({ name }) => name);
  if (away.length > 0) {
    problems.push({
      part: 'database',
      title: `${away.length === 1 ? 'The database' : 'The databases'} ${away.join(', ')} ${away.length === 1 ? 'does' : 'do'} not answer`,
      means: 'Searches of indexes there fail, and their tasks wait and continue by themselves.',
      advice: 'Start the server that REEMBED_DATABASES leads to, or check the network to it.',
    });
  }
  if (!temporal.answers) problems.push(TEMPORAL);
  // A queue of jobs needs workers only once there is work in it.
  const idle = (queues ?? []).filter((each) => each.workers === 0 && (!isOfJobs(each) || each.backlog > 0));
  const names = [...new Set(idle.map(({ queue }) => queue))];
  if (!temporal.answers || names.length === 0) return problems;
  const isAll = (queues ?? []).every((each) => each.workers === 0 || isOfJobs(each));
  problems.push({
    part: 'workers',
    title: isAll ? 'No worker answers' : `No worker answers for the queue ${names.join(', ')}`,
    means: 'Tasks are accepted, and wait until a worker runs.',
    advice: 'Start one: reembed worker, or reembed dev.',
  });
  return problems;
}

/** Returns whether no task can report what it does: Temporal or all workers of the tasks are silent. */
export function isSilent({ temporal, queues }: ServerHealth): boolean {
  const control = (queues ?? []).filter(({ queue }) => queue === 'control');
  return !temporal.answers || (control.length > 0 && control.every(({ workers }) => workers === 0));
}

function isOfJobs({ queue }: QueueHealth): boolean {
  return queue.startsWith('jobs-');
}
