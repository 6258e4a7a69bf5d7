import { type ReadShares, type ReadsState, readsProblem } from '../../contract/read-shares.ts';
import type { MirrorState, ReindexState } from '../../contract/reindex-state.ts';
import type { ReindexInput } from '../../contract/workflow-inputs.ts';
import { longControl } from '../activities.ts';
import type { TaskSpec } from '../task/spec.ts';
import type { TaskContext } from '../task/types.ts';

type Reads = NonNullable<TaskSpec['reads']>;
type Settings = Pick<ReindexInput, 'approve' | 'retire' | keyof ReadShares>;

/** Shadow and canary reads of one reindex: searches that run on the new index while it waits for an approval. */
export interface ReadsControl extends Reads {
  /** Starts them, since the new index is complete, or tries again what failed. */
  open(): Promise<void>;
  /** Notes that the lock is gone, and they with it. */
  close(): void;
  /** Whether the new index gets searches, or the shares could not be stored yet. */
  isOn(): boolean;
  shadow(): number;
  /** Shows them in the tracker from now on. */
  show(task: TaskContext): void;
}

/** `settings`: those of the reindex, which the first step checks. */
export function createReads(settings: () => Settings, state: ReindexState): ReadsControl {
  let task: TaskContext | undefined;
  const shares = (): ReadsState => {
    const { shadow = 0, canary = 0 } = settings();
    return state.reads ?? { shadow, canary, since: null };
  };
  const isUsed = () => state.reads !== undefined || shares().shadow > 0 || shares().canary > 0;
  const show = () => isUsed() && task?.report({ data: { reads: { ...shares() } } });
  const place = () => {
    const { locked, readsOpen } = state;
    if (!task || !locked?.alias || !readsOpen) return undefined;
    return { lock: locked.lock, taskId: task.id, alias: locked.alias };
  };
  const store = createStore(place, () => state.reads, show);
  return {
    problemOf(change) {
      const problem = readsProblem(change, { approve: 'auto', retire: 'never', ...settings() });
      if (problem) return `${problem.field} ${problem.message}`;
      if (state.cutOver) return 'the alias is switched';
      return state.locked?.alias === null ? 'the task switches no alias' : undefined;
    },
    async change(change) {
      state.reads = { ...shares(), ...change, since: null };
      show();
      await store();
    },
    async open() {
      state.readsOpen = true;
      if (!isUsed()) return;
      state.reads = shares();
      if (state.reads.since === null) await store();
    },
    close() {
      state.readsOpen = false;
      if (state.reads) state.reads = { ...state.reads, since: null };
      show();
    },
    isOn() {
      const { shadow, canary, since } = shares();
      return isUsed() && Boolean(state.locked?.alias) && (since === null || shadow > 0 || canary > 0);
    },
    shadow: () => shares().shadow,
    show(now) {
      task = now;
      show();
    },
  };
}

/** Shadow reads of a retired index that is kept current: `mirror` is undefined while it is not. */
export function createMirrorReads(mirror: () => MirrorState | undefined): Reads & { show(task: TaskContext): void } {
  let task: TaskContext | undefined;
  const show = () => {
    const reads = mirror()?.reads;
    if (reads) task?.report({ data: { reads: { ...reads } } });
  };
  const place = () => {
    const { lock, alias } = mirror() ?? {};
    return task && lock !== undefined && alias !== undefined ? { lock, taskId: task.id, alias } : undefined;
  };
  const store = createStore(place, () => mirror()?.reads, show);
  return {
    problemOf({ canary = 0 }) {
      if (mirror()?.alias === undefined) return 'the index is not kept current for an alias';
      return canary > 0 ? 'canary is for a reindex that waits for an approval' : undefined;
    },
    async change({ shadow }) {
      const kept = mirror();
      if (!kept) return;
      kept.reads = { shadow: shadow ?? kept.reads?.shadow ?? 0, canary: 0, since: null };
      show();
      await store();
    },
    show(now) {
      task = now;
      show();
    },
  };
}

interface Place {
  lock: string;
  taskId: string;
  alias: string;
}

/**
 * Creates a function that stores the shares with a lock; `place` is undefined while there is none. One call follows the
 * other, so that the last shares stay. An error is not the task's: `since` stays null.
 */
function createStore(
  place: () => Place | undefined,
  reads: () => ReadsState | undefined,
  onStored: () => unknown,
): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  const store = async () => {
    const [at, given] = [place(), reads()];
    if (!at || !given) return;
    const { shadow, canary }: ReadShares = given;
    await longControl.setReads({ ...at, shadow, canary });
    // Otherwise they were changed meanwhile, and the next call is on its way.
    if (reads() === given && place()) given.since = new Date().toISOString();
    onStored();
  };
  return () => {
    last = last.then(store).catch(() => {});
    return last;
  };
}
