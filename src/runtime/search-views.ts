import type { Logger } from 'pino';
import { messageOf } from '../contract/errors.ts';
import type { Db } from '../store/database.ts';
import { alignSearchViews } from '../store/search-views.ts';

/** Interval of the checks: each is one small statement unless a view is behind its alias. */
const EVERY_MS = 5_000;

/**
 * Brings the SQL views that could not follow their aliases, and creates those that are missing, until the returned
 * function is called. Says once which ones stay behind.
 */
export function keepSearchViews(db: Db, log: Logger): () => Promise<void> {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let said = '';
  let running = Promise.resolve();
  const say = (state: string, details: object) => {
    if (state !== said && state !== '') log.warn(details, 'SQL views do not follow their aliases yet: they are in use');
    said = state;
  };
  const look = async () => {
    try {
      const behind = await alignSearchViews(db);
      say(behind.join(), { aliases: behind });
    } catch (error) {
      say(messageOf(error), { err: error });
    }
    if (!isStopped) timer = setTimeout(start, EVERY_MS).unref();
  };
  const start = () => {
    running = look();
  };
  start();
  return async () => {
    isStopped = true;
    clearTimeout(timer);
    await running;
  };
}
