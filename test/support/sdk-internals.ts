/** The inner files of Temporal's SDK that tests and scripts use; see src/temporal/sdk-internals.ts. */
export { type History, historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
