import { setTimeout as sleep } from 'node:timers/promises';
import { createModels } from '../../../src/models/models.ts';
import { type Db, openDatabase } from '../../../src/store/database.ts';
import { resolveIndex } from '../../../src/store/indexes.ts';
import { writeLive } from '../../../src/store/protocol/live-write.ts';
import { nextVersion } from '../../../src/store/protocol/versions.ts';

/** One write, from its first statement to its commit. */
export interface DirectWrite {
  target: string;
  fromMs: number;
  toMs: number;
}

const WRITERS = 2;
const PAUSE_MS = 25;
const DRAIN_LOOK_MS = 20;
const OBJECTS = 10;

/**
 * Writes to several indexes with the product's own write, from this process. It has its own connections, which no
 * stopped process shares, and no task queue in between, so each wait here is a wait in the database.
 */
export class DirectWrites {
  readonly writes: DirectWrite[] = [];
  /** Duration of a statement that needs no lock: how busy the machine is. */
  readonly controls: DirectWrite[] = [];
  readonly errors: string[] = [];
  private readonly db: Db;
  private readonly models = createModels({ env: {} });

  constructor(databaseUrl: string) {
    this.db = openDatabase({ url: databaseUrl, maxConnections: 12 });
  }

  async run(targets: readonly string[], signal: AbortSignal): Promise<void> {
    const lanes = targets.flatMap((target) =>
      Array.from({ length: WRITERS }, (_, lane) => this.lane(target, lane, signal)),
    );
    await Promise.all([...lanes, this.control(signal)]);
  }

  async close(): Promise<void> {
    await this.db.destroy();
  }

  private async lane(target: string, lane: number, signal: AbortSignal): Promise<void> {
    for (let serial = 0; !signal.aborted; serial++) {
      const fromMs = Date.now();
      try {
        await this.write(target, `direct-${lane}-${serial % OBJECTS}`, `${target} ${lane} ${serial}`);
        this.writes.push({ target, fromMs, toMs: Date.now() });
      } catch (error) {
        this.writes.push({ target, fromMs, toMs: Date.now() });
        this.errors.push(`a write to ${target}: ${error instanceof Error ? error.message : String(error)}`);
      }
      await sleep(PAUSE_MS);
    }
  }

  private async control(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const fromMs = Date.now();
      await nextVersion(this.db);
      this.controls.push({ target: '', fromMs, toMs: Date.now() });
      await sleep(PAUSE_MS);
    }
  }

  /** Retries until the object is written; blocks and restarts count. Forwards are left to the reindex. */
  private async write(target: string, id: string, text: string): Promise<void> {
    const { db } = this;
    const version = await nextVersion(db);
    for (;;) {
      const index = await resolveIndex(db, target);
      const embedder = this.models.embedder(index.model);
      const [embedding] = await embedder.embed([text], { purpose: 'document' });
      if (!embedding) throw new Error('no vector');
      const parts = [{ part: 0, start: 0, end: text.length, isAverage: false, embedding }];
      const about = { metadata: {}, originalId: null, uri: null, hash: text };
      const { kind } = await writeLive(db, {
        ...{ target, indexNo: index.no, onReindex: 'forward' },
        objects: [{ kind: 'content', id, version, payload: text, ...about, parts }],
      });
      if (kind === 'written') return;
      if (kind === 'draining') await sleep(DRAIN_LOOK_MS);
    }
  }
}
