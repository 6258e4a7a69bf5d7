import type { Random } from '../random.ts';
import type { Statement, Where } from './tap.ts';

/** The work of a process when it is stopped. */
export type Kind =
  | 'accept'
  | 'write'
  | 'copy'
  | 'lock'
  | 'drain'
  | 'switch'
  | 'build'
  | 'create'
  | 'delete'
  | 'drop'
  | 'alias';

interface Deed {
  /** The process. */
  of: 'worker' | 'api';
  statement: RegExp;
  /** The name of its session; default: any. */
  application?: string;
  /** Writes that may wait for it: those to the rebuilt index, or to the one that an alias is moved to. */
  same: 'rebuilt' | 'aliased' | null;
}

const GATE = 0x7265_656d;
const ROWS = new RegExp(
  `pg_advisory_xact_lock_shared\\(${GATE},|insert into "?reembed"?\\."?(objects|parts)_\\d+`,
  'i',
);

/** The statements that show the purpose of a transaction. */
export const DEEDS: Record<Kind, Deed> = {
  accept: { of: 'api', statement: /insert into reembed\.(staged_items|admissions)/i, same: 'rebuilt' },
  write: { of: 'worker', statement: ROWS, application: 'reembed', same: 'rebuilt' },
  copy: { of: 'worker', statement: ROWS, application: 'reembed background', same: 'rebuilt' },
  lock: { of: 'worker', statement: /insert into reembed\.reindex_locks/i, same: 'rebuilt' },
  drain: { of: 'worker', statement: /set draining_until = clock_timestamp/i, same: 'rebuilt' },
  switch: { of: 'worker', statement: /insert into reembed\.aliases/i, same: 'rebuilt' },
  build: { of: 'worker', statement: /^create index concurrently.*hnsw/is, same: 'rebuilt' },
  create: { of: 'api', statement: /^create table "?reembed"?\./i, same: null },
  delete: { of: 'worker', statement: /update "reembed"\."indexes" set "state"/i, same: null },
  drop: { of: 'worker', statement: /^drop table/i, same: null },
  alias: { of: 'api', statement: /insert into "reembed"\."aliases"/i, same: 'aliased' },
};

export const KINDS = Object.keys(DEEDS) as Kind[];

/** `commit`: before the statement that ends the transaction is sent; `committed`: before its answer is read. */
const MOMENTS = ['before', 'within', 'after', 'commit', 'committed'] as const;
export type Moment = (typeof MOMENTS)[number];

export interface Point {
  kind: Kind;
  moment: Moment;
}

/** Plans the points: each kind before any repeats, each time at a different moment. */
export function planPoints(random: Random, count: number): Point[] {
  const moments = new Map(KINDS.map((kind) => [kind, random.shuffled(MOMENTS)]));
  const points: Point[] = [];
  for (let round = 0; points.length < count; round++) {
    for (const kind of random.shuffled(KINDS)) {
      const own = moments.get(kind) as Moment[];
      points.push({ kind, moment: own[round % own.length] as Moment });
    }
  }
  return points.slice(0, count);
}

/** Returns where to stop a statement for a point; null: not at this statement. */
export function whereIn(point: Point, { sql, application, before }: Statement): Where | null {
  const { statement, application: wanted } = DEEDS[point.kind];
  if (wanted !== undefined && application !== wanted) return null;
  if (statement.test(sql)) {
    if (point.moment === 'before' || point.moment === 'within' || point.moment === 'after') return point.moment;
    return before.length === 0 ? 'after' : null; // outside of a transaction nothing is committed
  }
  if (!/^commit/i.test(sql) || !before.some((earlier) => statement.test(earlier))) return null;
  if (point.moment === 'commit') return 'before';
  return point.moment === 'committed' ? 'after' : null;
}
