/** All workflows, exported under their Temporal names. */
export { auditIndex } from './audit.ts';
export { buildIndex } from './build-index.ts';
export { changeVectorIndex } from './change-vector-index.ts';
export { deleteIndex } from './delete-index.ts';
export { evaluateIndexes } from './evaluation/evaluate.ts';
export { job } from './jobs/job.ts';
export { jobLane } from './jobs/lane.ts';
export { maintain } from './maintain.ts';
export { reindex } from './reindex/reindex.ts';
export { reindexSlice } from './reindex/slice.ts';
export { followSource } from './sources/follow-source.ts';
export { syncSource } from './sources/sync-source.ts';
export { steerTasks } from './steer-tasks.ts';
export { deleteObjects as delete } from './write/delete.ts';
export { upsert } from './write/upsert.ts';
