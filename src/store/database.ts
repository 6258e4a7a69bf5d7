import { Kysely, type LogEvent, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import { ReembedError } from '../contract/errors.ts';
import { BoundedDialect, SESSION_LIMITS, type SessionLimits } from './bounded-dialect.ts';
import { endFrozen } from './frozen.ts';
import type { Database } from './schema.ts';

export type Db = Kysely<Database>;
export type Trx = Transaction<Database>;

export interface DatabaseOptions {
  /** `postgres://…`; or `connection` for a server on this machine. */
  url?: string;
  connection?: { host: string; port?: number; user: string; database: string };
  /** Work that gives way to all other; `hasLiveWork` tells the two apart by the names of their connections. */
  background?: boolean;
  /** Instead of those of the role. The embedded database, which has one session at a time, has none. */
  limits?: Partial<SessionLimits>;
  /** Connections held open. The embedded database takes one transaction at a time, so it is given one. */
  maxConnections?: number;
  /** Called when a connection breaks while no query runs on it; the pool replaces it. */
  onIdleError?: (error: Error) => void;
  observer?: DatabaseObserver | undefined;
}

/** Sees how a database fares. */
export interface DatabaseObserver {
  /** Is given once for each pool, for counts that are as they are when asked for. */
  opened?(pool: 'live' | 'background', counts: () => PoolCounts): void;
  /** Is told of each statement when it has ended. */
  queried?(query: QuerySeen): void;
}

export interface QuerySeen {
  /** Its values are not in it. */
  sql: string;
  ms: number;
  error?: unknown;
}

export interface PoolCounts {
  used: number;
  idle: number;
  /** Who waits for a connection. */
  waiting: number;
  max: number;
}

/** The name of connections that serve people and programs that wait. */
export const LIVE = 'reembed';
const BACKGROUND = 'reembed background';

const INT8 = 20;

/** Versions, changes and counts are 64-bit in Postgres and numbers here: refuse to round one silently. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new ReembedError('Internal', `the number ${text} is too large`);
  return value;
}

/** Opens a pool of connections. Nothing is sent until the first query. */
export function openDatabase(options: DatabaseOptions): Db {
  const max = options.maxConnections ?? 20;
  const pool = new pg.Pool({
    ...(options.connection ?? { connectionString: options.url }),
    max,
    connectionTimeoutMillis: 30_000,
    application_name: options.background ? BACKGROUND : LIVE,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: {
      getTypeParser: ((oid: number, format?: 'text') =>
        oid === INT8 ? parseInt8 : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  });
  const onBroken = options.onIdleError ?? (() => {});
  // The pool listens only while it holds a connection. One that breaks between two statements of a transaction would
  // end the process, so each is listened to for all its life; its next statement then fails.
  pool.on('connect', (connection) => connection.on('error', onBroken));
  pool.on('error', () => {}); // the same once more
  const { opened, queried } = options.observer ?? {};
  opened?.(options.background ? 'background' : 'live', () => ({
    used: pool.totalCount - pool.idleCount,
    idle: pool.idleCount,
    waiting: pool.waitingCount,
    max,
  }));
  const log =
    queried &&
    ((event: LogEvent) =>
      queried({
        sql: event.query.sql,
        ms: event.queryDurationMillis,
        error: event.level === 'error' ? event.error : undefined,
      }));
  const limits = { ...SESSION_LIMITS[options.background ? 'background' : 'live'], ...options.limits };
  const dialect = options.connection ? new PostgresDialect({ pool }) : new BoundedDialect({ pool }, limits);
  return new Kysely<Database>({ dialect, log });
}

/** Deadlock and serialization failure: Postgres has undone the transaction and asks for it to be run again. */
const RUN_AGAIN = new Set(['40P01', '40001']);
const TRIES = 6;
/** Half a minute of waiting for locks: longer than anyone holds one who makes progress. */
const LOCK_TRIES = 9;

/**
 * Runs `work` in a transaction, again when Postgres broke it up for another one's sake, when a lock was not had in time,
 * and when its session was ended before the commit. Whatever the server's default, each statement sees what is committed
 * when it begins: a transaction that has waited at a gate must not look at the past. `lockTries`: how often a lock may
 * be waited for.
 */
export async function transaction<T>(
  db: Db,
  work: (trx: Trx) => Promise<T>,
  { lockTries = LOCK_TRIES }: { lockTries?: number } = {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    let cause: unknown;
    try {
      return await db
        .transaction()
        .setIsolationLevel('read committed')
        .execute((trx) =>
          work(trx).catch((error) => {
            cause = error;
            throw error;
          }),
        );
    } catch (error) {
      // Not what the work threw: the commit failed, and may have happened all the same.
      if (cause === undefined) throw error;
      const isLockWait = codeOf(cause) === LOCK_NOT_AVAILABLE;
      const mayRunAgain = isLockWait || isSessionEnded(cause) || RUN_AGAIN.has(codeOf(cause) ?? '');
      if (!mayRunAgain || attempt >= (isLockWait ? lockTries : TRIES)) throw cause;
      if (isLockWait) await endFrozen(db, [LIVE, BACKGROUND], SESSION_LIMITS.live.idleMs);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * 2 ** Math.min(attempt, TRIES)));
    }
  }
}

/** The SQLSTATE of a lock that was not had within `lock_timeout`. */
export const LOCK_NOT_AVAILABLE = '55P03';

/** The SQLSTATE or the system's code of an error, if it has one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** Of Postgres, for a session that was idle for too long, in a transaction or not, or was terminated. */
const SESSION_ENDED = new Set(['25P03', '25P04', '57P01', '57P05']);

/** True of an error that says that Postgres has ended the session, and with it the transaction that it was in. */
function isSessionEnded(error: unknown): boolean {
  return (
    SESSION_ENDED.has(codeOf(error) ?? '') ||
    // The notice came while no statement ran: node-postgres says this to the next one.
    (error instanceof Error && /not queryable|connection terminated unexpectedly/i.test(error.message))
  );
}

/** A lock or a statement that took too long, in the end also a deadlock; too many connections, no memory. */
const BUSY_CODES = /^(55P03|57014|40P01|40001|53\w{3})$/;

/** True of an error that says that the database was too busy: the same may go well a moment later. */
export function isBusy(error: unknown): boolean {
  return BUSY_CODES.test(codeOf(error) ?? '');
}

/** What Node says of a certificate that it does not accept. */
const CERTIFICATE_CODES =
  /^(ERR_TLS_CERT\w*|CERT_\w+|(DEPTH_ZERO_)?SELF_SIGNED_CERT\w*|UNABLE_TO_(GET|VERIFY)_\w+|HOSTNAME_MISMATCH)$/;

/** True of an error that says that the certificate of the database was not accepted. */
export function isUntrusted(error: unknown): boolean {
  return CERTIFICATE_CODES.test(codeOf(error) ?? '');
}

const CONNECTION_CODES = /^(08\w{3}|57P0[1-3]|53300|ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT|ENOTFOUND)$/;

/** True of an error that says the database could not be reached, rather than that it disliked a statement. */
export function isConnectionError(error: unknown): boolean {
  const code = codeOf(error);
  return (
    (code !== undefined && CONNECTION_CODES.test(code)) ||
    isUntrusted(error) ||
    isSessionEnded(error) ||
    (error instanceof Error && /connection terminated|timeout exceeded when trying to connect/i.test(error.message))
  );
}
