import { addAbortListener, EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export interface Drain {
  fromMs: number;
  toMs: number;
}

/**
 * Records to the millisecond when writers are blocked and released, and notifies when they are blocked and when a lock
 * is renewed, which happens periodically and right before a cut-over. Writers are blocked from the beginning of
 * the transaction that sets `draining`: it waits at the gate, and they queue behind it.
 */
const TRIGGER = `
  create schema torture;
  create table torture.drains (at timestamptz not null, lock uuid not null, until timestamptz);
  create function torture.note_drain() returns trigger language plpgsql as $$
  declare
    held_on boolean := coalesce(old.draining_until > clock_timestamp(), false);
  begin
    if tg_op = 'DELETE' then
      if old.draining_until is not null then insert into torture.drains values (clock_timestamp(), old.lock); end if;
    elsif new.draining_until is not distinct from old.draining_until then
      notify renewal;
    else
      insert into torture.drains values (
        case when held_on then clock_timestamp() else transaction_timestamp() end,
        new.lock, new.draining_until);
      if new.draining_until is not null and not held_on then notify drain; end if;
    end if;
    return null;
  end $$;
  create trigger note_drain after update or delete on reembed.reindex_locks
    for each row execute function torture.note_drain()`;

/** Watches cut-overs from outside. */
export class DrainWatch {
  private readonly databaseUrl: string;
  private readonly events = new EventEmitter();
  private listener: pg.Client | null = null;
  private running: Promise<void> = Promise.resolve();
  private ended = false;

  constructor(databaseUrl: string) {
    this.databaseUrl = databaseUrl;
  }

  async start(db: pg.Pool): Promise<void> {
    await db.query(TRIGGER);
    this.running = this.listen();
  }

  /** Calls back as soon as writers are blocked, or a lock is renewed, each time until the signal is aborted. */
  on(event: 'drain' | 'renewal', callback: () => void, signal: AbortSignal): void {
    this.events.on(event, callback);
    addAbortListener(signal, () => this.events.off(event, callback));
  }

  async stop(): Promise<void> {
    this.ended = true;
    await this.listener?.end().catch(() => {});
    await this.running;
  }

  /** All periods in which writers were blocked: until released, or until the lease ended if the process died. */
  async drains(db: pg.Pool): Promise<Drain[]> {
    const { rows } = await db.query<{ at: Date; lock: string; until: Date | null }>(
      'select at, lock, until from torture.drains order by at',
    );
    const open = new Map<string, Drain>();
    const drains: Drain[] = [];
    for (const { at, lock, until } of rows) {
      const atMs = at.getTime();
      const before = open.get(lock);
      if (before && until && atMs <= before.toMs) {
        before.toMs = until.getTime(); // held until then
        continue;
      }
      if (before) before.toMs = Math.min(before.toMs, atMs);
      open.delete(lock);
      if (!until) continue;
      const drain = { fromMs: atMs, toMs: until.getTime() };
      open.set(lock, drain);
      drains.push(drain);
    }
    return drains;
  }

  /** Listens, again after each loss of the connection. */
  private async listen(): Promise<void> {
    while (!this.ended) {
      const client = new pg.Client({ connectionString: this.databaseUrl, connectionTimeoutMillis: 2_000 });
      this.listener = client;
      const lost = new Promise<void>((resolve) => client.once('end', resolve).once('error', () => resolve()));
      client.on('notification', ({ channel }) => this.events.emit(channel));
      try {
        await client.connect();
        await client.query('listen drain; listen renewal');
        if (!this.ended) await lost;
      } catch {
        await sleep(100);
      } finally {
        await client.end().catch(() => {});
      }
    }
  }
}
