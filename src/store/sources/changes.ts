import { sql } from 'kysely';
import { bigintArray } from '../binary.ts';
import type { Db } from '../database.ts';
import { outboxOf } from './names.ts';

/** Rows of the outbox that one read looks at; several of them may be about one key. */
const LOOKED_AT = 2_048;

/** Something that may have changed, with all rows of the outbox about it that one read found. */
export type Change = { seqs: number[] /** Numbers of the transactions. */; xids: number[] } & (
  | { kind: 'row' /** The key's values as text. */; key: string[] }
  /** Rows of the table are gone, and their keys are not known. */
  | { kind: 'all' }
  /** A column that is used is gone. */
  | { kind: 'drift'; note: string }
);

/**
 * Reads the next changes of a source, in the order in which they were written, each key once, at most `limit` keys.
 * `after`: where an earlier read ended, which spares the rows deleted since. `next` is where this one ends; null if it
 * found the end. A transaction that commits late leaves rows before `after`: a reader begins at 0 again and again.
 */
export async function readChanges(
  db: Db,
  sourceNo: number,
  { after, limit }: { after: number; limit: number },
): Promise<{ changes: Change[]; next: number | null }> {
  const { rows } = await sql<OutboxRow>`
    select seq, xid::text::bigint as xid, kind, key::text as key, note
    from ${sql.raw(outboxOf(sourceNo))}
    where seq > ${after}
    order by seq
    limit ${sql.lit(LOOKED_AT)}`.execute(db);
  const found = new Map<string, Change>();
  for (const [at, row] of rows.entries()) {
    const name = row.kind + (row.key ?? '');
    const known = found.get(name);
    if (known) {
      known.seqs.push(row.seq);
      if (!known.xids.includes(row.xid)) known.xids.push(row.xid);
    } else if (found.size === limit) return { changes: [...found.values()], next: rows[at - 1]?.seq ?? null };
    else found.set(name, toChange(row));
  }
  return { changes: [...found.values()], next: rows.length < LOOKED_AT ? null : (rows.at(-1)?.seq ?? null) };
}

interface OutboxRow {
  seq: number;
  xid: number;
  kind: Change['kind'];
  key: string | null;
  note: string | null;
}

function toChange({ seq, xid, kind, key, note }: OutboxRow): Change {
  const from = { seqs: [seq], xids: [xid] };
  if (kind === 'row') return { kind, key: JSON.parse(key as string) as string[], ...from };
  return kind === 'all' ? { kind, ...from } : { kind, note: note ?? '', ...from };
}

/** Removes rows from the outbox: exactly those that were read and handled. */
export async function deleteChanges(db: Db, sourceNo: number, seqs: readonly number[]): Promise<void> {
  if (seqs.length === 0) return;
  await sql`
    delete from ${sql.raw(outboxOf(sourceNo))} where seq = any(${bigintArray(seqs)}::bigint[])`.execute(db);
}
