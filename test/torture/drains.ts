import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export interface Drain {
  fromMs: number;
  toMs: number;
}

/** Writes down to the millisecond when writers are held back and let go, and calls out when they are held back. */
const TRIGGER = `
  create schema torture;
  create table torture.drains (at timestamptz not null, lock uuid not null, until timestamptz);
  create function torture.note_drain() returns trigger language plpgsql as $$
  begin
    if tg_op = 'DELETE' then
      if old.draining_until is not null then insert into torture.drains values (clock_timestamp(), old.lock); end if;
    elsif new.draining_until is distinct from old.draining_until then
      insert into torture.drains values (clock_timestamp(), new.lock, new.draining_until);
      if new.draining_until is not null then notify drain; end if;
    end if;
    return null;
  end $$;
  create trigger note_drain after update or delete on reembed.reindex_locks
    for each row execute function torture.note_drain()`;

/** Watches cut-overs from outside. */
export class DrainWatch {
  private readonly databaseUrl: string;
  private waiting: (() => void)[] = [];
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

  /** Calls back, once, as soon as writers are being held back. */
  onNext(callback: () => void): void {
    this.waiting.push(callback);
  }

  async stop(): Promise<void> {
    this.ended = true;
    await this.listener?.end().catch(() => {});
    await this.running;
  }

  /** All times for which writers were held back: until they were let go, or by the clock when the one who would died. */
  async drains(db: pg.Pool): Promise<Drain[]> {
    const { rows } = await db.query<{ at: Date; lock: string; until: Date | null }>(
      'select at, lock, until from torture.drains order by at',
    );
    const open = new Map<string, Drain>();
    const drains: Drain[] = [];
    for (const { at, lock, until } of rows) {
      const before = open.get(lock);
      if (before) before.toMs = Math.min(before.toMs, at.getTime());
      open.delete(lock);
      if (!until) continue;
      const drain = { fromMs: at.getTime(), toMs: until.getTime() };
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
      client.on('notification', () => {
        for (const callback of this.waiting.splice(0)) callback();
      });
      try {
        await client.connect();
        await client.query('listen drain');
        if (!this.ended) await lost;
      } catch {
        await sleep(100);
      } finally {
        await client.end().catch(() => {});
      }
    }
  }
}
