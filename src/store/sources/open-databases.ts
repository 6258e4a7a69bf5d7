import { type Db, openDatabase } from '../database.ts';

/** The database of a source's table. */
export interface SourceDatabase {
  db: Db;
  /** For a session that listens; null if the database has one session only. */
  url: string | null;
}

/** The databases of the tables that sources follow. */
export interface SourceDatabases {
  /** Opens the database that a definition names; undefined: that of reembed. */
  open(connectionEnv: string | undefined): SourceDatabase;
  close(): Promise<void>;
}

/** Sessions for each database but that of reembed. */
const CONNECTIONS = 4;

/** Opens databases when they are first needed. `urlOf` returns the address in a variable, or throws. */
export function createSourceDatabases(own: SourceDatabase, urlOf: (connectionEnv: string) => string): SourceDatabases {
  const opened = new Map<string, SourceDatabase>();
  return {
    open(connectionEnv) {
      if (connectionEnv === undefined) return own;
      const url = urlOf(connectionEnv);
      const known = opened.get(url);
      if (known) return known;
      const database = { db: openDatabase({ url, maxConnections: CONNECTIONS }), url };
      opened.set(url, database);
      return database;
    },
    async close() {
      await Promise.all([...opened.values()].map(({ db }) => db.destroy()));
    },
  };
}
