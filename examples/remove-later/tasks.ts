/** A temporary file is removed two days after it was made, whatever is restarted meanwhile. */
import { rm } from 'node:fs/promises';
import { defineTask } from 'reembed/jobs';
import { z } from 'zod';

export const removeFile = defineTask(
  { name: 'remove-file', description: 'Removes a file.', input: z.strictObject({ path: z.string() }), timeout: '1m' },
  // A file that is gone is what was wanted: removing it twice does no harm.
  async ({ path }) => rm(path, { force: true }),
);

/** To be called when the file is made. The id is that of the file, so that saying it twice removes it once. */
export function removeInTwoDays(path: string) {
  return removeFile.applyAsync({ path }, { delay: '2d', taskId: `remove:${path}` });
}

/** The same at a time that is known. */
export function removeAt(time: Date, path: string) {
  return removeFile.at(time, { path });
}
