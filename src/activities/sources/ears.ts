import type { Db } from '../../store/database.ts';
import { type Listener, listen } from '../../store/sources/listen.ts';
import { channelOf } from '../../store/sources/names.ts';
import { canNotify } from '../../store/sources/session.ts';
import { Wake } from './wake.ts';

/** How often the outbox is read when nothing is heard: the safety net, and where notifications are not sent. */
const POLL_MS = { listening: 2_000, deaf: 200 };

/** Hears of changes of one source. */
export class Ears {
  private readonly wake = new Wake();
  private listener: Listener | undefined;

  /** Listens, if it does not already. `url` is null for the embedded database, which has one session only. */
  async open(table: Db, url: string | null, sourceNo: number): Promise<void> {
    if (this.listener?.isAlive() || url === null || !(await canNotify(table))) return;
    await this.close();
    this.listener = await listen(url, channelOf(sourceNo), this.wake.call);
    // What was committed before was not heard.
    this.wake.call();
  }

  /** Waits until a change may have come. */
  wait(signal: AbortSignal, ms: number = this.listener?.isAlive() ? POLL_MS.listening : POLL_MS.deaf): Promise<void> {
    return this.wake.wait(ms, signal);
  }

  async close(): Promise<void> {
    await this.listener?.close();
    this.listener = undefined;
  }
}
