/**
 * The inner files of Temporal's SDK that the product uses where its public API has nothing for the purpose. They hold for
 * `SDK_VERSION`; after an update of the SDK, each of them is checked.
 */
export { executionInfoFromRaw } from '@temporalio/client/lib/helpers.js';
/** Starts a workflow once per request id. */
export { InternalWorkflowStartOptionsSymbol } from '@temporalio/client/lib/internal.js';
/** Whether a connection can start workflows eagerly. */
export { type InternalConnectionLike, InternalConnectionLikeSymbol } from '@temporalio/client/lib/types.js';
export { decodeTypedSearchAttributes } from '@temporalio/common/lib/converter/payload-search-attributes.js';
export { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
export { optionalDateToTs, tsToDate } from '@temporalio/common/lib/time.js';

/** The version of the SDK whose inner files were checked. */
export const SDK_VERSION = '1.24';
