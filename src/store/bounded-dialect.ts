import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  type TransactionSettings,
} from 'kysely';

/** Time limits of a session, in milliseconds; Postgres aborts what exceeds them. */
export interface SessionLimits {
  /** Max wait for a lock. */
  lockMs: number;
  /** Max time of one statement of a transaction. */
  statementMs: number;
  /** Max idle time between two statements of a transaction, which holds its locks; then the session is terminated. */
  idleMs: number;
}

/**
 * Limits by the role of a connection. A process that freezes between two statements blocks others for `idleMs`; one
 * that freezes in the middle of a message, until the first waiter has waited for `lockMs` (`endFrozen`).
 */
export const SESSION_LIMITS: Record<'live' | 'background', SessionLimits> = {
  live: { lockMs: 3_500, statementMs: 60_000, idleMs: 3_000 },
  background: { lockMs: 3_500, statementMs: 900_000, idleMs: 3_000 },
};

/** A dialect that limits each transaction. Other statements and sessions set the limits that they need themselves. */
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
 * Sends the limits with the start of each transaction: this needs no extra round trip and works with any connection
 * that a pooler picks.
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

/** When a silent peer counts as dead: keepalive settings in seconds, the last two settings in milliseconds. */
const PEER_SETTINGS = [
  { tcp_keepalives_idle: 30, tcp_keepalives_interval: 10, tcp_keepalives_count: 3, tcp_user_timeout: 30_000 },
  { client_connection_check_interval: 5_000 },
];

/**
 * Makes Postgres detect quickly that the process of a session is gone, even during a statement. Ignored if the server
 * or its operating system does not support it.
 */
async function watchPeer(connection: DatabaseConnection): Promise<void> {
  for (const settings of PEER_SETTINGS) {
    const calls = Object.entries(settings).map(([name, value]) => `set_config('${name}', '${value}', false)`);
    await connection.executeQuery(CompiledQuery.raw(`select ${calls.join(', ')}`)).catch(() => {});
  }
}
