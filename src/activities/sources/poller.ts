import { objectIdOf } from '../../contract/source-text.ts';
import { newestTime, passStart, readTimedKeys, type TimeColumn, type TimedKey } from '../../store/sources/poll.ts';
import { endPollPass, readPoll, savePollCursor } from '../../store/sources/state.ts';
import type { ActivityDependencies } from '../dependencies.ts';
import { type SourceWork, SourceWriter } from './source-writer.ts';

const KEYS_AT_ONCE = 512;
/** Rows of the last pass that are remembered; others are synced again, which changes nothing. */
const MAX_SEEN = 100_000;

/** A time with more digits than milliseconds: no two changes of a row have the same. */
const FINE_TIME = /\.\d{4}/;

/**
 * Syncs the rows of a table without triggers whose time of the last change is new. Each pass looks a minute back again,
 * and skips the rows that were synced with the same time.
 */
export class Poller {
  private readonly deps: ActivityDependencies;
  private readonly work: SourceWork;
  private readonly writer: SourceWriter;
  /** The times with which rows were synced, by the id of their object: those of the last pass. */
  private readonly seen: Map<string, string>;
  readonly comparison = null;

  constructor(deps: ActivityDependencies, work: SourceWork, seen: Map<string, string>) {
    this.seen = seen;
    this.deps = deps;
    this.work = work;
    this.writer = new SourceWriter(deps, work);
  }

  /** Passes through the newest rows once. Returns false: the next pass has time. */
  async step(): Promise<boolean> {
    const { source, table, db } = this.work;
    const name = source.definition.updatedAt as string;
    const column: TimeColumn = { name, type: table.types.get(name) as string };
    // All rows that are there at the beginning are synced by the sync.
    const newest = (await readPoll(this.deps.db, source.no)).cursor ?? (await newestTime(db, table, column));
    const from = newest === null ? null : await passStart(db, column, newest);
    const passed = new Map<string, string>();
    let after: TimedKey | null = null;
    let reached: string | null = null;
    for (;;) {
      const page: TimedKey[] = await readTimedKeys(db, table, column, { from, after, limit: KEYS_AT_ONCE });
      const fresh = page.filter(({ at, key }) => this.seen.get(objectIdOf(key)) !== at);
      await this.writer.bringAll(fresh.map(({ key }) => key));
      if (passed.size < MAX_SEEN) {
        for (const { at, key } of page) passed.set(objectIdOf(key), this.seenAs(objectIdOf(key), at));
      }
      after = page.at(-1) ?? after;
      reached = page.findLast(({ isAhead }) => !isAhead)?.at ?? reached;
      if (page.length < KEYS_AT_ONCE) break;
      // A pass that dies begins here, a minute earlier.
      if (reached !== null) await savePollCursor(this.deps.db, source.no, reached);
    }
    await endPollPass(this.deps.db, source.no, reached);
    this.seen.clear();
    for (const [id, at] of passed) this.seen.set(id, at);
    return false;
  }

  /**
   * Returns how a row that was brought is remembered. A row may change twice within one tick of a coarse clock, and the
   * pass may lie in between: it is brought once more by the next pass, which begins in another tick.
   */
  private seenAs(id: string, at: string): string {
    const once = `${at} once`;
    const before = this.seen.get(id);
    return FINE_TIME.test(at) || before === at || before === once ? at : once;
  }
}
