import type { Payload } from '../contract/objects.ts';
import type { Vector } from '../contract/vectors.ts';
import type { Failure } from './failure.ts';
import type { PrepareItem } from './prepared.ts';
import type { Resolved } from './ready.ts';
import type { Part } from './split.ts';

/** An object in progress; `failed` ends it. */
export interface Work {
  item: PrepareItem;
  /** Its position in its group, since the same id may occur twice. */
  key: string;
  payload?: Payload;
  hash: string;
  unchanged: boolean;
  payloadChanged: boolean;
  parts: Part[];
  vectors: Vector[];
  /** What becomes of ready parts. */
  resolved?: Exclude<Resolved, { failed: Failure }>;
  reused: number;
  failed?: Failure;
}

export const alive = (all: Work[]) => all.filter(({ failed }) => failed === undefined);
export const changed = (all: Work[]) => alive(all).filter(({ unchanged }) => !unchanged);
