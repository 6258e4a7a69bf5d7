import { invalidField } from '../../contract/errors.ts';
import { type Db, openDatabase } from '../database.ts';

/** Longer than the statements of a transaction may take, and than any other read of a source. */
const SILENT_MS = 120_000;

export interface SourceDatabasesOptions {
  /** The database of reembed, for sources without a connection of their own. */
  db: Db;
  /** Its address, for sessions that listen; null if it has one session only. */
  url?: string | null;
  /** Environment variables with addresses of other databases that sources may name. */
  allowed: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  maxConnections?: number;
  /** A database that has not answered a statement for so long is away; default: two minutes. */
  silentMs?: number;
  onIdleError?: (error: Error) => void;
}

/** The databases of sources' tables, opened when they are first used. */
export class SourceDatabases {
  readonly #options: SourceDatabasesOptions;
  readonly #opened = new Map<string, Db>();

  constructor(options: SourceDatabasesOptions) {
    this.#options = options;
  }

  /**
   * Returns the database that a variable names; without one, that of reembed. Error: `InvalidInput` if the variable is
   * not allowed, or not set to an address.
   */
  of(connectionEnv: string | undefined): Db {
    const { db, maxConnections = 4, silentMs = SILENT_MS, onIdleError } = this.#options;
    if (connectionEnv === undefined) return db;
    const url = this.#requireUrl(connectionEnv);
    const opened = this.#opened.get(connectionEnv);
    if (opened) return opened;
    const database = openDatabase({ url, maxConnections, silentMs, ...(onIdleError ? { onIdleError } : {}) });
    this.#opened.set(connectionEnv, database);
    return database;
  }

  /** Returns the address of a database, for a separate session; null if the database has only one. */
  urlOf(connectionEnv: string | undefined): string | null {
    return connectionEnv === undefined ? (this.#options.url ?? null) : this.#requireUrl(connectionEnv);
  }

  #requireUrl(connectionEnv: string): string {
    const { allowed, env } = this.#options;
    if (!allowed.includes(connectionEnv)) {
      throw invalidField('connectionEnv', `${connectionEnv} is not among the variables of REEMBED_SOURCE_CONNECTIONS`);
    }
    const url = env[connectionEnv];
    if (url === undefined || !/^postgres(ql)?:\/\//.test(url)) {
      throw invalidField('connectionEnv', `the variable ${connectionEnv} must be set to a postgres:// address`);
    }
    return url;
  }

  /** Closes those that were opened here. */
  async close(): Promise<void> {
    const opened = [...this.#opened.values()];
    this.#opened.clear();
    await Promise.all(opened.map((database) => database.destroy()));
  }
}
