import type pg from 'pg';
import type { Api, CallLog } from '../accept.ts';
import type { Random } from '../random.ts';
import { checkSide } from './check.ts';
import { type SideFindings, SideOracle } from './oracle.ts';
import { SIDE, Vandal, type VandalCounts } from './vandal.ts';
import { runSideWriter, settleSide } from './writers.ts';

const WRITERS = 2;

/**
 * A small world next to the large one, where aliases are moved by force and indexes are deleted and created again while
 * clients write. The target of such a write is not always known, so it is judged by certain and possible results.
 */
export class Side {
  private readonly oracle = new SideOracle(SIDE);
  private readonly vandal: Vandal;
  private readonly parts: { api: Api; log: CallLog; random: Random; run: string; say: (line: string) => void };

  constructor(parts: { api: Api; log: CallLog; random: Random; run: string; say: (line: string) => void }) {
    this.parts = parts;
    this.vandal = new Vandal({ ...parts, oracle: this.oracle, random: parts.random.fork('vandal') });
  }

  get counts(): VandalCounts & { writes: number } {
    return { ...this.vandal.counts, writes: this.oracle.writes.length };
  }

  start(): Promise<void> {
    return this.vandal.start();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { random } = this.parts;
    const writer = { ...this.parts, oracle: this.oracle, signal };
    await Promise.all([
      this.vandal.loop(signal),
      ...Array.from({ length: WRITERS }, (_, at) => runSideWriter(writer, `s${at}`, random.fork(`writer ${at}`))),
    ]);
  }

  async check(db: pg.Pool, withinMs: number): Promise<SideFindings> {
    const { api, log } = this.parts;
    await settleSide(api, log, this.oracle.writes, withinMs);
    return checkSide(db, this.oracle);
  }
}
