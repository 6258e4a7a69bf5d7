import pg from 'pg';

/** A separate database on a server, for one run. */
export interface OwnDatabase {
  url: string;
  /** Through a pooler, if there is one before the server. */
  pooledUrl?: string | undefined;
  drop(): Promise<void>;
}

export async function makeDatabase(serverUrl: string, name: string, poolerUrl?: string): Promise<OwnDatabase> {
  await runOn(serverUrl, `create database ${pg.escapeIdentifier(name)}`);
  return {
    url: urlOf(serverUrl, name),
    pooledUrl: poolerUrl && urlOf(poolerUrl, name),
    drop: () => runOn(serverUrl, `drop database ${pg.escapeIdentifier(name)} with (force)`),
  };
}

function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

async function runOn(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
