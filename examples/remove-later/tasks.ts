/** Removes a temporary file two days after its creation, even if processes are restarted in the meantime. */
import { rm } from 'node:fs/promises';
import { defineTask } from 'reembed/jobs';
import { z } from 'zod';

export const removeFile = defineTask(
  { name: 'remove-file', description: 'Removes a file.', input: z.strictObject({ path: z.string() }), timeout: '1m' },
  // With `force`, removing a missing file is not an error, so the task can run twice.
  async ({ path }) => rm(path, { force: true }),
);

/** Call this when the file is created. The task id comes from the path, so that two calls are one task. */
export function removeInTwoDays(path: string) {
  return removeFile.applyAsync({ path }, { delay: '2d', taskId: `remove:${path}` });
}

/** Removes the file at a given time. */
export function removeAt(time: Date, path: string) {
  return removeFile.at(time, { path });
}
