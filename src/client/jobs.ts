import { type JobList, type JobRun, jobListSchema } from '../contract/jobs.ts';
import type { Tracker } from '../contract/tasks.ts';
import { readAs, type Send, segment } from './request.ts';
import type { Run, RunOptions } from './run.ts';

export function jobCalls(send: Send, run: Run) {
  return {
    /** Lists the jobs that can be run, if the API knows them. */
    async list(): Promise<JobList> {
      return readAs(await send('GET', '/v1/jobs'), jobListSchema);
    },
    /**
     * Runs a job by name. If it was `ignored` as a duplicate, `data.duplicateOf` is the id of the other job.
     * Errors: `JobUnknown`, `InvalidInput`, `TooLarge`, `TaskLocked`.
     *
     * @example
     * await reembed.jobs.run('send-mail', { input: { to: 'a@example.com' }, queue: 'mail' }, { wait: true });
     */
    run(name: string, job: JobRun = {}, options: RunOptions = {}): Promise<Tracker> {
      return run(`/v1/jobs/${segment(name)}/run`, { json: job }, options);
    },
  };
}
