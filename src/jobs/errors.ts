const MARK = Symbol.for('reembed.jobs.NonRetryableError');

/** Thrown by a handler when trying again cannot help: the job fails at once, whatever attempts are left. */
export class NonRetryableError extends Error {
  readonly [MARK] = true;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NonRetryableError';
  }
}

/** True of an error of that class, of this copy of the package or another; a name alone makes none. */
export function isNonRetryable(error: unknown): boolean {
  return error instanceof Error && MARK in error;
}
