import type { Tracker } from '../../contract/tasks.ts';
import { JobInput } from './job-input.tsx';
import { JobResult } from './job-result.tsx';

/** What the page of a job shows besides what all tasks have. */
export function JobParts({ tracker }: { tracker: Tracker }) {
  return (
    <>
      <JobResult tracker={tracker} />
      <JobInput tracker={tracker} />
    </>
  );
}
