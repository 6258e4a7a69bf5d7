import { availableParallelism, cpus, totalmem } from 'node:os';
import { Connection } from '@temporalio/client';
import pg from 'pg';
import type { Versions } from './harness.ts';

export interface Machine {
  cpu: string;
  cores: number;
  memoryGib: number;
  platform: string;
  versions: Versions;
}

/** Describes the machine of the results. `versions` are those of the servers involved. */
export function describeMachine(versions: Versions = {}): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    versions: { node: process.versions.node, ...versions },
  };
}

/** Returns the versions of a Postgres and, if installed, its pgvector. */
export async function postgresVersions(url: string): Promise<Versions> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; version: string }>(`
      select 'postgres' as name, current_setting('server_version') as version
      union all
      select 'pgvector', extversion from pg_extension where extname = 'vector'`);
    return Object.fromEntries(rows.map(({ name, version }) => [name, version]));
  } finally {
    await client.end();
  }
}

/** Returns the version of a Temporal server. */
export async function temporalVersion(address: string): Promise<Versions> {
  const connection = await Connection.connect({ address });
  try {
    return { temporal: (await connection.workflowService.getSystemInfo({})).serverVersion ?? 'unknown' };
  } finally {
    await connection.close();
  }
}
