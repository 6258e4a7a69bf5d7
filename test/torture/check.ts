import type pg from 'pg';
import { type Api, type CallLog, insist } from './accept.ts';
import { ALIAS } from './clients.ts';
import type { Expected } from './oracle.ts';
import { checkVectors, type VectorOf } from './vectors.ts';

export interface Findings {
  lost: string[];
  resurrected: string[];
  stale: string[];
  duplicates: string[];
  orphanedParts: string[];
  /** Objects whose vectors do not match their content. */
  wrongVectors: string[];
  failedItems: string[];
}

type Served = Awaited<ReturnType<typeof serve>>;

/** Compares the serving index with the expected content, and searches the tables for orphaned rows. */
export async function check(
  api: Api,
  log: CallLog,
  db: pg.Pool,
  expected: Map<string, Expected>,
  vectorOf: VectorOf,
): Promise<{ findings: Findings; objects: number; vectors: number }> {
  const served = await insist(log, 'stream', () => serve(api), { timeoutMs: 60_000 });
  const { wrong: wrongVectors, compared: vectors } = await checkVectors(db, vectorOf);
  const findings: Findings = {
    ...compare(served, expected),
    orphanedParts: [],
    wrongVectors,
    failedItems: (await db.query('select task_id, object_id, detail from reembed.failed_items')).rows.map((row) =>
      JSON.stringify(row),
    ),
  };
  for (const { no, name } of await indexes(db)) {
    const named = async (sql: string) => (await db.query(sql)).rows.map(({ object_id: id }) => `${id} in ${name}`);
    findings.orphanedParts.push(
      ...(await named(`select distinct p.object_id from reembed.parts_${no} p
        where not exists (
          select from reembed.objects_${no} o where o.object_id = p.object_id and not o.deleted and not o.failed)`)),
      ...(await named(`select o.object_id from reembed.objects_${no} o
        where not o.deleted and not exists (select from reembed.parts_${no} p where p.object_id = o.object_id)`)),
    );
    findings.duplicates.push(
      ...(await named(`select object_id from reembed.parts_${no} group by object_id
        having count(distinct part) <> count(*) or max(part) + 1 <> count(*) or count(*) filter (where is_average) > 1`)),
      ...(await named(`select object_id from reembed.objects_${no} group by object_id having count(*) > 1`)),
    );
  }
  return { findings, objects: served.length, vectors };
}

async function serve(api: Api) {
  const served = [];
  for await (const object of api.objects.stream(ALIAS)) served.push(object);
  return served;
}

async function indexes(db: pg.Pool): Promise<{ no: number; name: string }[]> {
  return (await db.query(`select no, name from reembed.indexes where state = 'active'`)).rows;
}

function compare(served: Served, expected: Map<string, Expected>) {
  const found = {
    lost: [] as string[],
    resurrected: [] as string[],
    stale: [] as string[],
    duplicates: [] as string[],
  };
  const byId = new Map<string, Served[number]>();
  for (const object of served) {
    if (byId.has(object.id)) found.duplicates.push(object.id);
    byId.set(object.id, object);
    if (!expected.get(object.id)?.item) found.resurrected.push(object.id);
  }
  for (const [id, { version, item }] of expected) {
    if (item === null) continue;
    const object = byId.get(id);
    if (!object) found.lost.push(id);
    else if (
      object.version !== version ||
      !same(object.payload, item.payload) ||
      !same(object.metadata, item.metadata ?? {}) ||
      object.originalId !== (item.originalId ?? null)
    ) {
      found.stale.push(id);
    }
  }
  return found;
}

function same(left: unknown, right: unknown): boolean {
  const sorted = (_: string, value: unknown) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return JSON.stringify(left, sorted) === JSON.stringify(right, sorted);
}
