import { type JobList, type JobRun, jobListSchema } from '../../contract/jobs.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { readAs, type Send, segment } from './request.ts';
import type { Run, RunOptions } from './run.ts';

export function jobCalls(send: Send, run: Run) {
  return {
    /** The jobs that can be run, if the API knows them. */
    async list(): Promise<JobList> {
      return readAs(await send('GET', '/v1/jobs'), jobListSchema);
    },
    /**
     * Runs a job by its name. One that was `ignored` for another one tells its id as `data.standsFor`.
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
