// CommonJS, since Temporal requires it by its path; it is part of the bundle of workflows too.
const { DefaultFailureConverter } = require('@temporalio/common');

/** Moves messages and stacks of errors into a payload, where the codec encrypts them. */
exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
