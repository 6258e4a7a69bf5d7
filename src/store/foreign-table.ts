import pg from 'pg';
import { ReembedError } from '../contract/errors.ts';
import { encodeVector } from '../contract/ready-parts.ts';
import { readVector } from './binary.ts';

/** Columns of a table with vectors; null for those that it does not have. */
export interface TableColumns {
  id?: string | undefined;
  text?: string | undefined;
  vector?: string | undefined;
  metadata?: string | undefined;
}

export interface TableRequest {
  /** Address of its database. */
  url: string;
  /** Name of the table, with its schema if it is not on the search path. */
  table: string;
  /** Default: as the table of a known tool has them. */
  columns: TableColumns;
  /** Name of the collection of LangChain's table. */
  collection?: string | undefined;
}

export interface TableRow {
  id: string;
  text: string | null;
  metadata: unknown;
  /** Base64 of single precision. */
  vector: string;
}

/** A table, open in one state of its database until `close`. */
export interface OpenTable {
  rows: number;
  /** Rows without a vector, which are left out. */
  withoutVector: number;
  /** Dimensions of the vectors; null without rows. */
  dimensions: number | null;
  /** Rows with a text, by chance. */
  sample(limit: number): Promise<TableRow[]>;
  read(): AsyncGenerator<TableRow>;
  close(): Promise<void>;
}

/** SQL of the columns, and which rows. */
interface Layout {
  id: string;
  text: string | null;
  vector: string;
  metadata: string | null;
  where?: string;
}

const FETCH_ROWS = 200;

/**
 * Opens an existing table with a column of pgvector: one of LangChain, LlamaIndex or pgai, or any other whose columns are
 * named. Errors: `InvalidInput` for a table, column or vector that does not fit; nothing is written.
 */
export async function openTable(request: TableRequest): Promise<OpenTable> {
  const client = new pg.Client({ connectionString: request.url, application_name: 'reembed import' });
  client.on('error', () => {}); // the next statement fails
  try {
    await client.connect();
    await client.query('begin isolation level repeatable read read only');
    const { schema, name, columns } = await findTable(client, request.table);
    const layout = await findLayout(client, schema, columns, request);
    return await openWith(client, name, layout);
  } catch (error) {
    await client.end().catch(() => {});
    if (error instanceof ReembedError) throw error;
    throw refused(`the table ${request.table} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

const refused = (message: string) => new ReembedError('InvalidInput', message);
const quoted = (name: string) => pg.escapeIdentifier(name);

async function findTable(client: pg.Client, table: string) {
  const found = await client.query<{ schema: string; name: string }>(
    `select n.nspname as schema, c.relname as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.oid = to_regclass($1)`,
    [table],
  );
  const [row] = found.rows;
  if (!row) throw refused(`there is no table ${table} that this role can see`);
  const { rows } = await client.query<{ name: string; type: string }>(
    `select attname as name, format_type(atttypid, null) as type
    from pg_attribute
    where attrelid = to_regclass($1) and attnum > 0 and not attisdropped`,
    [table],
  );
  const columns = new Map(rows.map(({ name, type }) => [name, type.replace(/^.*\./, '')]));
  const schema = quoted(row.schema);
  return { schema, name: `${schema}.${quoted(row.name)}`, columns };
}

type Columns = ReadonlyMap<string, string>;

async function findLayout(client: pg.Client, schema: string, columns: Columns, request: TableRequest): Promise<Layout> {
  const { columns: given, table, collection } = request;
  const has = (...names: string[]) => names.every((name) => columns.has(name));
  if (Object.values(given).every((name) => name === undefined)) {
    if (has('collection_id', 'embedding', 'document', 'cmetadata'))
      return langchain(client, columns, { schema, table, collection });
    if (collection !== undefined) throw refused(`${table} is not a table of LangChain: it has no collections`);
    if (has('node_id', 'text', 'metadata_', 'embedding')) {
      return { id: '"node_id"', text: '"text"', vector: '"embedding"', metadata: '"metadata_"' };
    }
    if (has('embedding_uuid', 'chunk_seq', 'chunk', 'embedding')) return pgai(columns);
    throw refused(
      `${table} is not a table of LangChain, LlamaIndex or pgai: name its columns with --id-column and --vector-column`,
    );
  }
  const column = (name: string | undefined, option: string) => {
    if (name === undefined) throw refused(`${option} is needed to name the columns of ${table}`);
    if (!columns.has(name)) throw refused(`${table} has no column ${name}: it has ${[...columns.keys()].join(', ')}`);
    return name;
  };
  const vector = column(given.vector, '--vector-column');
  const type = columns.get(vector) ?? '';
  if (type !== 'vector' && type !== 'halfvec') {
    throw refused(`the column ${vector} of ${table} has the type ${type}, not vector or halfvec of pgvector`);
  }
  return {
    id: quoted(column(given.id, '--id-column')),
    vector: quoted(vector),
    text: given.text === undefined ? null : quoted(column(given.text, '--text-column')),
    metadata: given.metadata === undefined ? null : quoted(column(given.metadata, '--metadata-column')),
  };
}

/** Its older versions have a `uuid`, and a `custom_id` in place of the id. */
async function langchain(
  client: pg.Client,
  columns: Columns,
  { schema, table, collection }: { schema: string; table: string; collection: string | undefined },
): Promise<Layout> {
  const { rows } = await client.query<{ uuid: string; name: string }>(
    `select uuid::text as uuid, name from ${schema}.langchain_pg_collection order by name`,
  );
  const names = rows.map(({ name }) => name).join(', ');
  const isOnly = collection === undefined && rows.length === 1;
  const found = isOnly ? rows[0] : rows.find(({ name }) => name === collection);
  if (!found) throw refused(`${table} has the collections ${names}: name one with --collection`);
  return {
    id: columns.has('id') ? '"id"' : 'coalesce("custom_id", "uuid"::text)',
    ...{ text: '"document"', vector: '"embedding"', metadata: '"cmetadata"' },
    where: `"collection_id" = ${pg.escapeLiteral(found.uuid)}::uuid`,
  };
}

/** An object for each chunk: the key of its row, and its place. */
function pgai(columns: Columns): Layout {
  const own = new Set(['embedding_uuid', 'chunk_seq', 'chunk', 'embedding']);
  const key = [...columns.keys()].filter((name) => !own.has(name)).map((name) => `${quoted(name)}::text`);
  return {
    id: `concat_ws(':', ${[...key, '"chunk_seq"::text'].join(', ')})`,
    ...{ text: '"chunk"', vector: '"embedding"', metadata: null },
  };
}

async function openWith(client: pg.Client, table: string, layout: Layout): Promise<OpenTable> {
  const where = layout.where ?? 'true';
  const vector = `${layout.vector}::vector`;
  const text = layout.text === null ? 'null::text' : `${layout.text}::text`;
  const select = `select ${layout.id}::text as id, ${text} as text,
      ${layout.metadata === null ? 'null::jsonb' : `${layout.metadata}::jsonb`} as metadata, vector_send(${vector}) as vector
    from ${table}
    where ${where} and ${layout.vector} is not null`;
  const { rows } = await client.query<{ rows: string; vectors: string; least: number | null; most: number | null }>(
    `select count(*) as rows, count(${layout.vector}) as vectors,
      min(vector_dims(${vector})) as least, max(vector_dims(${vector})) as most
    from ${table} where ${where}`,
  );
  const { least = null, most = null, ...counts } = rows[0] ?? { rows: '0', vectors: '0' };
  if (least !== most) throw refused(`${table} has vectors of ${least} to ${most} dimensions: an index has one`);
  return {
    rows: Number(counts.rows),
    withoutVector: Number(counts.rows) - Number(counts.vectors),
    dimensions: least,
    async sample(limit) {
      const found = await client.query<SentRow>(`${select} and ${text} ~ '\\S' order by random() limit ${limit}`);
      return found.rows.map(toRow);
    },
    async *read() {
      await client.query(`declare rows no scroll cursor for ${select}`);
      for (;;) {
        const page = await client.query<SentRow>(`fetch ${FETCH_ROWS} from rows`);
        yield* page.rows.map(toRow);
        if (page.rows.length === 0) return;
      }
    },
    close: () => client.end(),
  };
}

type SentRow = Omit<TableRow, 'vector'> & { vector: Uint8Array };

const toRow = ({ vector, ...row }: SentRow): TableRow => ({ ...row, vector: encodeVector(readVector(vector)) });
