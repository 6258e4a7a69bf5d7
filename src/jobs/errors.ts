const MARK = Symbol.for('reembed.jobs.NonRetryableError');

/** Thrown by a handler if a retry cannot help: the job fails immediately, even if attempts are left. */
export class NonRetryableError extends Error {
  readonly [MARK] = true;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NonRetryableError';
  }
}

/** Returns true for an error of this class, from this copy of the package or another; its name is not enough. */
export function isNonRetryable(error: unknown): boolean {
  return error instanceof Error && MARK in error;
}
