import { createHash } from 'node:crypto';
import { SOURCE_KINDS, type SourceKind } from '../../contract/audit.ts';
import { messageOf } from '../../contract/errors.ts';
import { keyOfObjectId, objectIdOf } from '../../contract/source-text.ts';
import type { Db } from '../../store/database.ts';
import { type ComparedObject, compareObjects, type ExpectedObject } from '../../store/protocol/compare.ts';
import type { SourceRow } from '../../store/sources/rows.ts';
import { isKeyOf, readSnapshot } from '../../store/sources/snapshot.ts';
import type { ReadTable, TableRow } from '../../store/sources/table-rows.ts';
import { isOfRow } from '../sources/errors.ts';
import { findingEach } from '../sources/finding-each.ts';
import { itemOfRow } from '../sources/item-of-row.ts';

/** What a look needs. */
export interface LookedAt {
  /** The database of reembed, and that of the table. */
  db: Db;
  database: Db;
  source: SourceRow;
  table: ReadTable;
  /** Number of the index that serves. */
  indexNo: number;
}

/** How a row and its object differ. */
export interface Difference {
  kind: SourceKind;
  detail: string;
  /** There is a row: the object is synced by its key. */
  hasRow: boolean;
  /** Only metadata differs, so that the stored vectors stay valid. */
  isMetadata: boolean;
}

/** What one look found of an object: `none` says that it is as its row. */
export interface Finding {
  difference: Difference | null;
  /** The follower is going to sync it. */
  isOnItsWay: boolean;
  /** A pass of a poll looks at it again. */
  isRecent: boolean;
  change: number | null;
}

/** A row, or why there is none to compare. */
type Wanted =
  | { kind: 'object'; expected: ExpectedObject }
  | { kind: 'none'; hasRow: boolean }
  | { kind: 'unreadable'; detail: string };

const NO_ROW: Wanted = { kind: 'none', hasRow: false };

/** Looks at objects and their rows, each by the id of the object. Rows come first: an object is never older than its row. */
export async function lookAt(at: LookedAt, ids: readonly string[]): Promise<Map<string, Finding>> {
  const found = new Map<string, Finding>();
  for (let left = [...ids]; left.length > 0; ) left = await lookAtSome(at, left, found);
  return found;
}

/** Looks at as many as one read gets; returns the others. */
async function lookAtSome(at: LookedAt, ids: readonly string[], found: Map<string, Finding>): Promise<string[]> {
  const keys = new Map(ids.map((id) => [id, keyOfObjectId(id, at.table.key.length)]));
  const wanted = new Map<string, Wanted>(ids.map((id) => [id, NO_ROW]));
  const [onTheirWay, recent, left] = [new Set<string>(), new Set<string>(), new Set<string>()];
  await findingEach(
    [...keys.values()].filter((key) => key !== undefined),
    isOfRow,
    {
      async work(some) {
        const snapshot = await readSnapshot(at.database, at, some);
        for (const row of snapshot.rows) {
          // Another text of the key, such as 042, has the row of 42.
          const id = objectIdOf(row.key);
          if (wanted.has(id)) wanted.set(id, wantedOf(at, row));
        }
        for (const key of snapshot.left) left.add(objectIdOf(key));
        for (const id of snapshot.onTheirWay) onTheirWay.add(id);
        for (const id of snapshot.recent) recent.add(id);
      },
      async alone(key, error) {
        // A text that is no value of the key's type has no row.
        if (!(await isKeyOf(at.database, at.table, key))) return;
        wanted.set(objectIdOf(key), { kind: 'unreadable', detail: messageOf(error) });
      },
    },
  );
  const looked = ids.filter((id) => !left.has(id));
  const expected = looked.map((id) => expectedOf(id, wanted.get(id)));
  for (const object of await compareObjects(at.db, at.indexNo, expected)) {
    const { id } = object;
    const difference = differenceOf(wanted.get(id), object);
    found.set(id, { difference, isOnItsWay: onTheirWay.has(id), isRecent: recent.has(id), change: object.change });
  }
  return [...left];
}

/** Makes what the object of a row must be. */
export function wantedOf({ source, table }: Pick<LookedAt, 'source' | 'table'>, row: TableRow): Wanted {
  const made = itemOfRow(source.definition, table, row);
  if (made.kind === 'nothing') return { kind: 'none', hasRow: true };
  if (made.kind === 'failed') return { kind: 'unreadable', detail: made.failed.detail };
  const { id, payload, uri = null, metadata = {} } = made.item;
  const digest = typeof payload === 'string' ? createHash('sha256').update(payload).digest('hex') : null;
  return { kind: 'object', expected: { id, digest, metadata: JSON.stringify(metadata), uri: uri ?? null } };
}

/** Returns what is compared with an object; of one without a row, only whether it exists counts. */
export function expectedOf(id: string, wanted: Wanted | undefined): ExpectedObject {
  return wanted?.kind === 'object' ? wanted.expected : { id, digest: null, metadata: '{}', uri: null };
}

export function differenceOf(wanted: Wanted = NO_ROW, { state }: ComparedObject): Difference | null {
  const isThere = state !== 'absent' && state !== 'failed';
  const found = (kind: SourceKind, why = ''): Difference => ({
    kind,
    detail: SOURCE_KINDS[kind].detail + why,
    hasRow: wanted.kind !== 'none' || wanted.hasRow,
    isMetadata: state === 'metadata',
  });
  if (wanted.kind === 'none') return state === 'absent' ? null : found('extra');
  if (wanted.kind === 'unreadable') return found(isThere ? 'stale' : 'missing', `: ${wanted.detail}`);
  if (state === 'same') return null;
  if (state === 'absent') return found('missing');
  if (state === 'failed') return found('missing', ': it was stored, but could not be embedded');
  return found('stale', `: the ${state === 'uri' ? 'address' : state} differs`);
}
