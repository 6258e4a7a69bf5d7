/** Thrown by a handler when trying again cannot help: the job fails at once, whatever attempts are left. */
export class NonRetryableError extends Error {
  readonly retryable = false;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NonRetryableError';
  }
}
