/**
 * While the model is asked for the rest of a batch, what it has answered is written this often: the kill of a worker costs
 * the calls in flight, and what was answered since. Batches that are answered faster are written at once.
 */
export const WRITE_EVERY_MS = 500;
