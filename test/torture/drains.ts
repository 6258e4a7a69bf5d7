import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export interface Drain {
  fromMs: number;
  toMs: number;
}

/** Writes down to the millisecond when writers are held back and let go, and calls out when they are held back. */
const TRIGGER = `
  create schema torture;
  create table torture.drains (at timestamptz not null, lock uuid not null, draining boolean not null);
  create function torture.note_drain() returns trigger language plpgsql as $$
  begin
    if tg_op = 'DELETE' then
      if old.draining_until > clock_timestamp() then insert into torture.drains values (clock_timestamp(), old.lock, false); end if;
    elsif new.draining_until is distinct from old.draining_until then
      insert into torture.drains values (clock_timestamp(), new.lock, new.draining_until is not null);
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

  /** All times for which writers were held back. */
  async drains(db: pg.Pool): Promise<Drain[]> {
    const { rows } = await db.query<{ ms: number; lock: string; draining: boolean }>(`
      select extract(epoch from at)::float8 * 1000 as ms, lock, draining from torture.drains order by at`);
    const open = new Map<string, Drain>();
    const drains: Drain[] = [];
    for (const { ms, lock, draining } of rows) {
      const drain = open.get(lock);
      if (drain) drain.toMs = ms;
      if (!draining) open.delete(lock);
      else if (!drain) {
        const begun = { fromMs: ms, toMs: ms };
        open.set(lock, begun);
        drains.push(begun);
      }
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
