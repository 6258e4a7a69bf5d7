import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  type TransactionSettings,
} from 'kysely';

/** How long a session may be at something, in milliseconds, before Postgres breaks it off. */
export interface SessionLimits {
  /** Waiting for a lock. */
  lockMs: number;
  /** One statement of a transaction. */
  statementMs: number;
  /** Doing nothing between two statements of a transaction, which holds its locks: the session is ended. */
  idleMs: number;
}

/**
 * By the role of a connection. A process that freezes in the middle of a transaction holds others up for `idleMs`; one
 * that freezes in the middle of a message, until the first who waits has waited for `lockMs` (`endFrozen`).
 */
export const SESSION_LIMITS: Record<'live' | 'background', SessionLimits> = {
  live: { lockMs: 3_500, statementMs: 60_000, idleMs: 3_000 },
  background: { lockMs: 3_500, statementMs: 900_000, idleMs: 3_000 },
};

/** Limits of single statements and of sessions that are not in a transaction come with the statement that needs them. */
export class BoundedDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;
  readonly #limits: SessionLimits;

  constructor(config: PostgresDialectConfig, limits: SessionLimits) {
    super(config);
    this.#config = { ...config, onCreateConnection: watchPeer };
    this.#limits = limits;
  }

  override createDriver(): Driver {
    return new BoundedDriver(this.#config, this.#limits);
  }
}

/**
 * Sends the limits with the beginning of each transaction: no round trip of their own, and in force whatever connection a
 * pooler picks.
 */
class BoundedDriver extends PostgresDriver {
  readonly #settings: string;

  constructor(config: PostgresDialectConfig, { lockMs, statementMs, idleMs }: SessionLimits) {
    super(config);
    this.#settings = [
      ['lock_timeout', lockMs],
      ['statement_timeout', statementMs],
      ['idle_in_transaction_session_timeout', idleMs],
    ]
      .map(([name, ms]) => `; set local ${name} = ${Number(ms)}`)
      .join('');
  }

  override async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    const { isolationLevel, accessMode } = settings;
    const mode = [isolationLevel && `isolation level ${isolationLevel}`, accessMode].filter((part) => part).join(' ');
    await connection.executeQuery(CompiledQuery.raw(`start transaction ${mode}${this.#settings}`));
  }
}

/** After how long a peer that does not answer is taken for dead: seconds, the last two milliseconds. */
const PEER_SETTINGS = [
  { tcp_keepalives_idle: 30, tcp_keepalives_interval: 10, tcp_keepalives_count: 3, tcp_user_timeout: 30_000 },
  { client_connection_check_interval: 5_000 },
];

/**
 * Lets Postgres notice soon that the process of a session is gone, also while it runs a statement. Where the server or
 * its system cannot do that, it goes on as it was.
 */
async function watchPeer(connection: DatabaseConnection): Promise<void> {
  for (const settings of PEER_SETTINGS) {
    const calls = Object.entries(settings).map(([name, value]) => `set_config('${name}', '${value}', false)`);
    await connection.executeQuery(CompiledQuery.raw(`select ${calls.join(', ')}`)).catch(() => {});
  }
}
