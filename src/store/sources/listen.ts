import pg from 'pg';

/** A session that hears the notifications of one channel. */
export interface Listener {
  /** Whether the session is still there. */
  isAlive(): boolean;
  close(): Promise<void>;
}

const CONNECT_MS = 10_000;

/**
 * Listens to a channel in a session of its own, as a pooler or a pool would lose notifications. `onNotified` is also
 * called when the session ends. Errors: those of the connection.
 */
export async function listen(url: string, channel: string, onNotified: () => void): Promise<Listener> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'reembed source',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
  });
  let isAlive = true;
  const end = () => {
    isAlive = false;
    onNotified();
  };
  client.on('error', end);
  client.on('end', end);
  client.on('notification', onNotified);
  await client.connect();
  await client.query(`listen ${client.escapeIdentifier(channel)}`);
  return {
    isAlive: () => isAlive,
    async close() {
      client.off('notification', onNotified);
      await client.end().catch(() => {});
    },
  };
}
