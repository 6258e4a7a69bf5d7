import type { ColumnType, Generated } from 'kysely';
import type { WriteCountsByItem } from '../contract/activities.ts';
import type { FullText } from '../contract/full-text.ts';
import type { IndexConfig, Metric, Splitter, Versioning } from '../contract/indexes.ts';
import type { ModelConfig } from '../contract/models.ts';
import type { RollBackReport } from '../contract/roll-back.ts';
import type { Storage, VectorIndexConfig } from '../contract/vector-index.ts';

/** A jsonb column, read as a value and written as JSON text. */
type Json<T> = ColumnType<T, string, string>;
type Timestamp = ColumnType<Date, Date | string | undefined, Date | string>;

export interface IndexesTable {
  /** Never reused for another index, so a late write cannot land in one of the same name. */
  no: Generated<number>;
  name: string;
  state: Generated<'active' | 'deleting'>;
  model: Json<ModelConfig>;
  dimensions: number;
  metric: Metric;
  splitter: Json<Splitter>;
  average: boolean;
  versioning: Versioning;
  full_text: Json<FullText> | null;
  ready_vectors: Generated<boolean>;
  /** Null: `vector`. */
  storage: Storage | null;
  vector_index: Json<VectorIndexConfig> | null;
  /** The task that was the last to be asked for another vector index. */
  vector_index_task: string | null;
  /** Highest version among the removed tombstones; writes at or below it are too old to judge. */
  removed_version: Generated<number>;
  /** The reindex lock whose cut-over made this index serve; lets a repeated cut-over detect that it has happened. */
  built_by_lock: string | null;
  /** The index that had all changes of this one up to `replaced_change` when an alias moved to it. */
  replaced_by: number | null;
  replaced_change: Generated<number>;
  create_time: Timestamp;
}

export interface AliasesTable {
  name: string;
  index_no: number;
}

export interface ReindexLocksTable {
  source_no: number;
  dest_no: number;
  task_id: string;
  lock: string;
  lock_time: Timestamp;
  lock_expire_time: Timestamp;
  /** Writers to the source are blocked for the cut-over until then. */
  draining_until: Timestamp | null;
  /** Not a reindex: the destination is the retired index, kept current until it is deleted. */
  mirror: Generated<boolean>;
  /** The destination is complete, and waits for a decision about the switch. */
  built: Generated<boolean>;
  /** Stored vectors are taken over. */
  reuse: Generated<boolean>;
  /**
   * Of a mirror: the last change of both indexes at the switch that began it. Of a reindex: the last change of the source
   * when it was locked; null if an earlier version has locked it.
   */
  since_change: number | null;
  /** Of a mirror that began with a roll back: which one. */
  roll_back: Json<RollBackReport> | null;
}

export interface StagedItemsTable {
  staging: string;
  seq: number;
  item: Json<unknown>;
  stage_time: Timestamp;
}

export interface FinishedWritesTable {
  staging: string;
  counts: Json<WriteCountsByItem>;
  finish_time: Timestamp;
}

export interface FailedItemsTable {
  task_id: string;
  object_id: string;
  stage: string;
  reason: string;
  detail: string;
  item: Json<unknown> | null;
  fail_time: Timestamp;
}

export interface Database {
  'reembed.indexes': IndexesTable;
  'reembed.aliases': AliasesTable;
  'reembed.reindex_locks': ReindexLocksTable;
  'reembed.staged_items': StagedItemsTable;
  'reembed.finished_writes': FinishedWritesTable;
  'reembed.failed_items': FailedItemsTable;
}

/** An index as the protocol sees it: its number, state and fixed settings. */
export interface IndexRow extends IndexConfig {
  no: number;
  name: string;
  state: 'active' | 'deleting';
  removedVersion: number;
  builtByLock: string | null;
  createTime: Date;
}
