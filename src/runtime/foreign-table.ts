import { ReembedError } from '../contract/errors.ts';
import { type OpenTable, openTable, type TableRequest } from '../store/foreign-table.ts';

export type { OpenTable };

/** Opens a table of the database whose address is in a variable. Error: `InvalidInput`. */
export async function openForeignTable(
  request: Omit<TableRequest, 'url'> & { databaseEnv: string },
  env: NodeJS.ProcessEnv,
): Promise<OpenTable> {
  const { databaseEnv, ...table } = request;
  const url = env[databaseEnv];
  if (url) return openTable({ ...table, url });
  throw new ReembedError(
    'InvalidInput',
    `${databaseEnv} is not set: it must hold the postgres:// address of the table`,
  );
}
