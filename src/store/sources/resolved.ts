import type { TableName } from '../../contract/sources.ts';
import type { TableShape } from './shape.ts';

/** A column of a key, with the name of its type as SQL writes it. */
export interface KeyColumn {
  name: string;
  type: string;
}

/** A table that a source follows, as it was when its triggers were made. */
export interface ResolvedTable extends TableName {
  /** Tells the table from another one that got its name later. */
  oid: string;
  /** All partitions and partitioned tables below the table, at all levels; null for a table without partitions. */
  partitions: (TableName & { oid: string })[] | null;
}

/** What triggers and the follower must know of a source. Stored as `reembed.sources.resolved`. */
export interface ResolvedSource {
  table: ResolvedTable;
  key: KeyColumn[];
  /** Columns other than those of the key that objects are made of. */
  content: string[];
  /** The index that the source names; null if it names an alias, whose index may change. */
  indexNo?: number | null;
  /** Of the columns of key and content; missing until the follower has looked at the table. */
  shape?: TableShape;
}

/** Lists the columns that objects and their ids are made of. */
export function usedColumns({ key, content }: Pick<ResolvedSource, 'key' | 'content'>): string[] {
  return [...key.map(({ name }) => name), ...content];
}
