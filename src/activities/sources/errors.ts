import { ReembedError } from '../../contract/errors.ts';
import { codeOf, isBusy, isConnectionError, SQLSTATE } from '../../store/sqlstate.ts';

/** Ends following until someone starts it again. */
export class SourceStopped extends Error {
  /** A stable code. */
  readonly reason: string;

  constructor(reason: string, detail: string) {
    super(detail);
    this.name = 'SourceStopped';
    this.reason = reason;
  }
}

/** The definition of the source changed, or the source was removed: what was read with it is not written. */
export class SourceChanged extends Error {
  constructor() {
    super('the definition of the source has changed');
    this.name = 'SourceChanged';
  }
}

/** SQLSTATE classes of errors about a value: data exceptions, cardinality, program limits. */
const OF_VALUE = /^(21|22|54)\w{3}$/;

/** Whether an error is about what is in a row, as opposed to the state of a server: trying again does not help. */
export function isOfRow(error: unknown): boolean {
  if (error instanceof ReembedError) return error.type === 'InvalidInput' || error.type === 'TooLarge';
  if (isConnectionError(error) || isBusy(error)) return false;
  return OF_VALUE.test(codeOf(error) ?? '') || error instanceof RangeError;
}

/** Returns why following must stop, if an error says so. */
export function stopOf(error: unknown): SourceStopped | undefined {
  if (error instanceof SourceStopped) return error;
  if (error instanceof ReembedError && error.type === 'IndexDeleted') {
    return new SourceStopped('index-deleted', 'the index of the source was deleted: set the source up again');
  }
  if (codeOf(error) === SQLSTATE.insufficientPrivilege) return new SourceStopped('no-rights', (error as Error).message);
  return undefined;
}

/** Returns the stable code of what following waits for. */
export function waitReasonOf(error: unknown): string {
  if (error instanceof ReembedError) return error.type;
  return isConnectionError(error) || isBusy(error) ? 'DatabaseUnavailable' : 'Internal';
}
