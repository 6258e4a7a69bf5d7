/** The SQLSTATEs that the product distinguishes. */
export const SQLSTATE = {
  lockNotAvailable: '55P03',
  /** Also of a statement that ran into its timeout. */
  queryCanceled: '57014',
  deadlock: '40P01',
  serializationFailure: '40001',
  undefinedSchema: '3F000',
  undefinedTable: '42P01',
  uniqueViolation: '23505',
  numberOutOfRange: '22003',
  insufficientPrivilege: '42501',
  limitExceeded: '54000',
} as const;

/** Returns the SQLSTATE or the system error code of an error, if it has one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** SQLSTATEs of a session that was idle for too long, in a transaction or not, or was terminated. */
const SESSION_ENDED = new Set(['25P03', '25P04', '57P01', '57P05']);

/** True if Postgres ended the session, and with it the transaction. */
export function isSessionEnded(error: unknown): boolean {
  return (
    SESSION_ENDED.has(codeOf(error) ?? '') ||
    // The session ended between two statements: node-postgres reports this for the next one.
    (error instanceof Error && /not queryable|connection terminated unexpectedly/i.test(error.message))
  );
}

/** SQLSTATEs of lock and statement timeouts, deadlocks, too many connections, and lack of memory. */
const BUSY_CODES = /^(55P03|57014|40P01|40001|53\w{3})$/;

/** True if the database was too busy: the same call may succeed later. */
export function isBusy(error: unknown): boolean {
  return BUSY_CODES.test(codeOf(error) ?? '');
}

/** Node's error codes for a certificate that it does not accept. */
const CERTIFICATE_CODES =
  /^(ERR_TLS_CERT\w*|CERT_\w+|(DEPTH_ZERO_)?SELF_SIGNED_CERT\w*|UNABLE_TO_(GET|VERIFY)_\w+|HOSTNAME_MISMATCH)$/;

/** True if the certificate of the database was not accepted. */
export function isUntrusted(error: unknown): boolean {
  return CERTIFICATE_CODES.test(codeOf(error) ?? '');
}

const CONNECTION_CODES =
  /^(08\w{3}|57P0[1-3]|53300|E(CONNREFUSED|CONNRESET|NOENT|PIPE|TIMEDOUT|NOTFOUND|HOSTUNREACH|NETUNREACH|AI_AGAIN))$/;

/** True if the database could not be reached, as opposed to rejecting a statement. */
export function isConnectionError(error: unknown): boolean {
  const code = codeOf(error);
  return (
    (code !== undefined && CONNECTION_CODES.test(code)) ||
    isUntrusted(error) ||
    isSessionEnded(error) ||
    (error instanceof Error && /connection terminated|timeout exceeded when trying to connect/i.test(error.message))
  );
}

/** SQLSTATEs: wrong password, unknown role, unknown database. */
const NO_LOGIN = /^(28\w{3}|3D000)$/;

/** True if the server rejected the login, or has no database of that name. */
export function isLoginRefused(error: unknown): boolean {
  return NO_LOGIN.test(codeOf(error) ?? '');
}
