import { messageOf, ReembedError } from '../../contract/errors.ts';
import type { SourceDefinition } from '../../contract/sources.ts';
import { codeOf, isBusy, isConnectionError, isLoginRefused, SQLSTATE } from '../../store/sqlstate.ts';

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
  if (codeOf(error) === SQLSTATE.insufficientPrivilege) {
    const message = `${messageOf(error)}: grant what the role of the connection lacks, then start the source again`;
    return new SourceStopped('no-rights', message);
  }
  return undefined;
}

/** Says what following waits for, after its stable code, and what to do. */
export function waitReasonOf(error: unknown, { connectionEnv, follow }: Partial<SourceDefinition> = {}): string {
  if (error instanceof ReembedError) return `${error.type}: ${error.message}`;
  // The error of a name with several addresses has no message of its own.
  const message = messageOf(error) || codeOf(error);
  if (isBusy(error)) return `DatabaseUnavailable: ${message}`;
  if (!isConnectionError(error) && !isLoginRefused(error)) return `Internal: ${message}`;
  const server = connectionEnv === undefined ? 'the server' : `the server and the address in ${connectionEnv}`;
  const safe = follow === 'poll' ? '' : 'Changes are still recorded there. ';
  return `DatabaseUnavailable: the database does not answer (${message}): check ${server}. ${safe}The source continues by itself once it answers.`;
}
