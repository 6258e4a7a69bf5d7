/** All workflows, under the names by which Temporal knows them. */
export { buildIndex } from './build-index.ts';
export { deleteObjects as delete } from './delete.ts';
export { deleteIndex } from './delete-index.ts';
export { job } from './job.ts';
export { jobLane } from './job-lane.ts';
export { maintain } from './maintain.ts';
export { reindex } from './reindex.ts';
export { reindexSlice } from './reindex-slice.ts';
export { steerTasks } from './steer-tasks.ts';
export { unknown as default } from './unknown.ts';
export { upsert } from './upsert.ts';
