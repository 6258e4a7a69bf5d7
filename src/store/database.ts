import { Kysely, type LogEvent, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { ReembedError } from '../contract/errors.ts';
import { BoundedDialect, SESSION_LIMITS, type SessionLimits } from './bounded-dialect.ts';
import { endFrozen } from './frozen.ts';
import type { Database } from './schema.ts';
import { clientOfSilentServer } from './silent-server.ts';
import { codeOf, isSessionEnded, SQLSTATE } from './sqlstate.ts';

export type Db = Kysely<Database>;
export type Trx = Transaction<Database>;

export interface DatabaseOptions {
  /** `postgres://…`, or use `connection` for a server on this machine. */
  url?: string;
  connection?: { host: string; port?: number; user: string; database: string };
  /** For work that yields to live work; `hasLiveWork` tells them apart by the names of their connections. */
  background?: boolean;
  /** Overrides the limits of the role. Not used for the embedded database, which has only one session at a time. */
  limits?: Partial<SessionLimits>;
  /** Ends a session whose server has not answered a statement for so long; default: never. */
  silentMs?: number;
  /** Max connections of the pool. The embedded database runs one transaction at a time, so it gets one. */
  maxConnections?: number;
  /** Called when an idle connection breaks; the pool replaces it. */
  onIdleError?: (error: Error) => void;
  /** False: its writes are not added to the history of objects. */
  history?: boolean;
  observer?: DatabaseObserver | undefined;
}

/** Observes a database's pools and statements. */
export interface DatabaseObserver {
  /** Called once per pool; `counts` returns the current counts. */
  opened?(pool: 'live' | 'background', counts: () => PoolCounts): void;
  /** Called after each statement. */
  queried?(query: QuerySeen): void;
}

export interface QuerySeen {
  /** The statement without its values. */
  sql: string;
  ms: number;
  error?: unknown;
}

export interface PoolCounts {
  used: number;
  idle: number;
  /** Callers that wait for a connection. */
  waiting: number;
  max: number;
}

/** The `application_name` of connections that serve users and programs that wait. */
export const LIVE = 'reembed';
const BACKGROUND = 'reembed background';

const INT8 = 20;

/** Parses a bigint (versions, changes, counts) into a number; throws instead of rounding silently. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new ReembedError('Internal', `the number ${text} is too large`);
  return value;
}

/** Opens a pool of connections; connects on the first query. */
export function openDatabase(options: DatabaseOptions): Db {
  const max = options.maxConnections ?? 20;
  const pool = new pg.Pool({
    ...(options.connection ?? { connectionString: options.url }),
    max,
    connectionTimeoutMillis: 30_000,
    application_name: options.background ? BACKGROUND : LIVE,
    ...(options.silentMs !== undefined && { Client: clientOfSilentServer(options.silentMs) }),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: {
      getTypeParser: ((oid: number, format?: 'text') =>
        oid === INT8 ? parseInt8 : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  });
  const onBroken = options.onIdleError ?? (() => {});
  // The pool listens for errors only on idle connections. One that breaks between two statements of a transaction would
  // end the process, so each connection keeps a listener; its next statement then fails.
  pool.on('connect', (connection) => connection.on('error', onBroken));
  pool.on('error', () => {}); // the same once more
  if (options.history === false) {
    // Before the first statement of the connection; if it fails, so does that.
    pool.on('connect', (connection) => void connection.query(`set reembed.history = 'off'`).catch(onBroken));
  }
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

/**
 * Runs `work` in a transaction that cannot write and sees one state of the database. Postgres cancels a statement that
 * takes longer than `withinMs` milliseconds.
 */
export function readOnly<T>(db: Db, withinMs: number, work: (trx: Trx) => Promise<T>): Promise<T> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      await sql`set local statement_timeout = ${sql.lit(withinMs)}`.execute(trx);
      return work(trx);
    });
}

/** Deadlock and serialization failure: Postgres rolled the transaction back, and it can be retried. */
const RUN_AGAIN: readonly string[] = [SQLSTATE.deadlock, SQLSTATE.serializationFailure];
const TRIES = 6;
/** About half a minute of waiting for locks, longer than any healthy transaction holds one. */
const LOCK_TRIES = 9;

/**
 * Runs `work` in a transaction. Retries it after a deadlock or serialization failure, a lock timeout, or the end of its
 * session before the commit. Always uses read committed, whatever the server's default, so that each statement sees
 * what is committed when it starts: a transaction that has waited at a gate must not read old data. `lockTries` limits
 * the attempts after lock timeouts.
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
      // The commit failed, not `work`: it may have taken effect nevertheless.
      if (cause === undefined) throw error;
      const isLockWait = codeOf(cause) === SQLSTATE.lockNotAvailable;
      const mayRunAgain = isLockWait || isSessionEnded(cause) || RUN_AGAIN.includes(codeOf(cause) ?? '');
      if (!mayRunAgain || attempt >= (isLockWait ? lockTries : TRIES)) throw cause;
      if (isLockWait) await endFrozen(db, [LIVE, BACKGROUND], SESSION_LIMITS.live.idleMs);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * 2 ** Math.min(attempt, TRIES)));
    }
  }
}
