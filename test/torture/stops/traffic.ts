import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, type CallLog, insist, tryTo } from '../accept.ts';

/** The alias of the rebuilt index, the index that aliases are moved to, and one that is left alone. */
export const REBUILT = 'st';
export const ALIASED = 'st-aliased';
export const ALONE = 'st-alone';

const DOCUMENTS = 20;
/** Objects with many parts each, so that the index has enough for a vector index. */
const WORDS = 4_000;
const SPLITTER = { chunkSize: 120, chunkOverlap: 0 };
const MODEL = { provider: 'hash' as const, dimensions: 16 };
const ENDED = ['done', 'refused', 'exhausted', 'canceled', 'failed'];
/** A task whose worker is stopped waits until the stop is detected. */
const MAX_MS = 180_000;
const HAND_PAUSE_MS = 700;
const REFUSALS = ['IndexLocked', 'NotCurrent', 'IndexNotFound', 'IndexDeleting', 'AliasNotFound'];

/** Repeats all work at which a process can be stopped, until the signal is aborted. */
export class Traffic {
  readonly problems: string[] = [];
  private readonly api: Api;
  private readonly log: CallLog;
  private readonly run: string;
  private serial = 0;

  constructor(parts: { api: Api; log: CallLog; run: string }) {
    this.api = parts.api;
    this.log = parts.log;
    this.run = parts.run;
  }

  async start(): Promise<void> {
    const { api, log } = this;
    for (const name of [`${REBUILT}-0`, ALIASED, ALONE]) {
      await insist(log, `create ${name}`, () => api.indexes.create(name, { model: MODEL, splitter: SPLITTER }));
    }
    await insist(log, `alias ${REBUILT}`, () => api.aliases.set(REBUILT, `${REBUILT}-0`));
    const items = Array.from({ length: DOCUMENTS }, (_, at) => ({ id: `doc-${at}`, payload: documentOf(at) }));
    const taskId = `${this.run}-st-corpus`;
    await insist(log, taskId, () => api.tasks.upsert({ taskId, index: REBUILT, items }, { wait: true }), {
      timeoutMs: 120_000,
    });
  }

  async loop(signal: AbortSignal): Promise<void> {
    await Promise.all([this.rebuild(signal), this.write(signal), this.moveByHand(signal)]);
  }

  /** Rebuilds into a new index and deletes the old one: with a lock, copies, a build, a drain, a switch and drops. */
  private async rebuild(signal: AbortSignal): Promise<void> {
    const { api, log } = this;
    while (!signal.aborted) {
      const at = ++this.serial;
      const taskId = `${this.run}-st-reindex-${at}`;
      const body = { source: REBUILT, dest: `${REBUILT}-${at}`, destModel: MODEL, destSplitter: SPLITTER };
      const options = { concurrency: 1, batchSize: 10, lockSeconds: 20, waitSeconds: 1, retire: 'now' as const };
      await insist(log, taskId, (abort) => api.tasks.reindex({ taskId, ...body, ...options }, { signal: abort }));
      await this.endOf(taskId, signal);
    }
  }

  private async write(signal: AbortSignal): Promise<void> {
    const { api, log } = this;
    for (let at = 1; !signal.aborted; at++) {
      const taskId = `${this.run}-st-write-${at}`;
      const items = [{ id: `w-${at % 50}`, payload: `write ${at}` }];
      await insist(log, taskId, (abort) => api.tasks.upsert({ taskId, index: REBUILT, items }, { signal: abort }));
      await sleep(150);
    }
  }

  /** Creates and deletes indexes, and sets and removes aliases, also of the rebuilt index. */
  private async moveByHand(signal: AbortSignal): Promise<void> {
    const { api, log } = this;
    for (let at = 1; !signal.aborted; at++) {
      for (const [alias, index] of [
        ['st-x', ALIASED],
        ['st-y', REBUILT],
      ] as const) {
        const serving = index === REBUILT ? ((await this.serving()) ?? index) : index;
        await tryTo(log, `set ${alias}`, () => api.aliases.set(alias, serving), REFUSALS);
        await tryTo(log, `remove ${alias}`, () => api.aliases.delete(alias), REFUSALS);
      }
      const name = `st-tmp-${at}`;
      const model = { provider: 'hash' as const, dimensions: 8 };
      await insist(log, `create ${name}`, () => api.indexes.create(name, { model }));
      const taskId = `${this.run}-${name}`;
      await tryTo(log, `delete ${name}`, () => api.tasks.deleteIndex({ taskId, index: name }), REFUSALS);
      await sleep(HAND_PAUSE_MS);
    }
  }

  private async serving(): Promise<string | undefined> {
    const aliases = await insist(this.log, 'aliases', () => this.api.aliases.list());
    return aliases.find(({ alias }) => alias === REBUILT)?.index;
  }

  private async endOf(taskId: string, signal: AbortSignal): Promise<void> {
    const { api, log } = this;
    for (const endMs = Date.now() + MAX_MS; ; await sleep(300)) {
      const tracker = await insist(log, `info ${taskId}`, () => api.tasks.info(taskId));
      const { status, detail } = tracker;
      if (ENDED.includes(status) && !/again in/.test(detail)) {
        // A manually set alias may prevent the deletion of the old index; the next check notices that.
        if (status !== 'done') this.problems.push(`${taskId} ended ${status}: ${detail}`);
        return;
      }
      if (Date.now() > endMs) {
        this.problems.push(`${taskId} is stuck: ${detail}`);
        return;
      }
      if (signal.aborted && status === 'processing' && tracker.data.phase === 'retire') return;
    }
  }
}

function documentOf(at: number): string {
  return Array.from({ length: WORDS }, (_, word) => `word${(word * 7 + at) % 997}`).join(' ');
}
