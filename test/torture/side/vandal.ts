import { setTimeout as sleep } from 'node:timers/promises';
import type { Tracker } from '../../../src/contract/tasks.ts';
import { type Api, type CallLog, insist, tryTo } from '../accept.ts';
import type { Random } from '../random.ts';
import type { Move, SideOracle, Span } from './oracle.ts';

export const SIDE = 'side';
export const SIDE_INDEXES = ['side-a', 'side-b'] as const;
const ENDED = ['done', 'refused', 'exhausted', 'canceled', 'failed'];
const LOOK_MS = 200;
/** A deletion waits for readers, and for workers that are unavailable. */
const MAX_MS = 120_000;

export interface VandalCounts {
  /** Aliases moved by hand, with and without `force`, and moves refused because something would be missing. */
  forced: number;
  unforced: number;
  notCurrent: number;
  /** Indexes deleted and created again under their name; `withAlias`: those whose alias was deleted too. */
  deleted: number;
  withAlias: number;
}

interface VandalParts {
  api: Api;
  log: CallLog;
  oracle: SideOracle;
  random: Random;
  run: string;
  say: (line: string) => void;
}

/** Moves an alias by hand to an index that lacks something, deletes and recreates indexes, while others write. */
export class Vandal {
  readonly counts: VandalCounts = { forced: 0, unforced: 0, notCurrent: 0, deleted: 0, withAlias: 0 };
  private readonly parts: VandalParts;
  private at: string | null = null;
  private serial = 0;

  constructor(parts: VandalParts) {
    this.parts = parts;
  }

  async start(): Promise<void> {
    for (const name of SIDE_INDEXES) await this.create(name);
    await this.move(SIDE_INDEXES[0]);
  }

  async loop(signal: AbortSignal): Promise<void> {
    const { random, say } = this.parts;
    while (!signal.aborted) {
      await sleep(random.between(1_500, 5_000), undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      const other = SIDE_INDEXES.find((name) => name !== this.at) as string;
      const deed = random.weighted({ force: 40, ask: 15, delete: 30, deleteServing: 15 });
      say(`by hand: ${deed}, ${SIDE} is ${this.at}`);
      if (deed === 'force') await this.move(other);
      else if (deed === 'ask') await this.ask(other);
      else await this.remove(deed === 'delete' ? other : (this.at as string));
    }
  }

  private async move(to: string): Promise<void> {
    const { api, log } = this.parts;
    // Recorded before the call: writers may be affected from then on.
    const move = this.note(to);
    await insist(log, `${SIDE} to ${to}`, () => api.aliases.set(SIDE, to, { force: true }));
    move.span.toMs = Date.now();
    this.at = to;
    this.counts.forced++;
  }

  /** Moves the alias without force, which succeeds only if nothing would be missing. */
  private async ask(to: string): Promise<void> {
    const { api, log, oracle, say } = this.parts;
    const move = this.note(to);
    const expected = ['NotCurrent'];
    const set = await tryTo(log, `${SIDE} to ${to}`, () => api.aliases.set(SIDE, to), expected);
    move.span.toMs = Date.now();
    if (set) this.counts.unforced++;
    else {
      this.counts.notCurrent++;
      // A call without an answer may have moved it.
      const aliases = await insist(log, 'aliases', () => api.aliases.list());
      const index = aliases.find(({ alias }) => alias === SIDE)?.index ?? null;
      if (index !== to) {
        oracle.moves.splice(oracle.moves.indexOf(move), 1);
        return;
      }
      say(`${SIDE} is ${to}, though nobody was told`);
    }
    this.at = to;
  }

  private async remove(name: string): Promise<void> {
    const { api, log, oracle, run } = this.parts;
    const serves = this.at === name;
    const life = oracle.lives.findLast((one) => one.name === name);
    if (!life) throw new Error(`there is no ${name}`);
    life.deleted = startSpan();
    const gone = serves ? this.note(null) : null;
    const taskId = `${run}-delete-${++this.serial}`;
    await insist(log, taskId, (signal) => api.tasks.deleteIndex({ taskId, index: name, force: serves }, { signal }));
    const end = await this.endOf(taskId);
    life.deleted.toMs = Date.now();
    if (end.status !== 'done') log.violations.push(`${taskId} ended ${end.status}: ${end.detail}`);
    if (gone) gone.span.toMs = Date.now();
    this.counts.deleted++;
    await this.create(name);
    if (!serves) return;
    this.counts.withAlias++;
    this.at = null;
    await this.move(name);
  }

  private async create(name: string): Promise<void> {
    const { api, log, oracle, random } = this.parts;
    const life = { name, created: startSpan(), deleted: null };
    const model = { provider: 'hash' as const, dimensions: random.pick([16, 24]) };
    await insist(log, `create ${name}`, () => api.indexes.create(name, { model }));
    life.created.toMs = Date.now();
    oracle.lives.push(life);
  }

  private note(to: string | null): Move {
    const move = { to, span: startSpan() };
    this.parts.oracle.moves.push(move);
    return move;
  }

  private async endOf(taskId: string): Promise<Tracker> {
    const { api, log } = this.parts;
    for (const endMs = Date.now() + MAX_MS; ; await sleep(LOOK_MS)) {
      const tracker = await insist(log, `info ${taskId}`, () => api.tasks.info(taskId));
      if (ENDED.includes(tracker.status) && !/again in/.test(tracker.detail)) return tracker;
      if (Date.now() > endMs) throw new Error(`${taskId} is stuck: ${JSON.stringify(tracker)}`);
    }
  }
}

/** Open until its end is known. */
function startSpan(): Span {
  return { fromMs: Date.now(), toMs: Number.POSITIVE_INFINITY };
}
