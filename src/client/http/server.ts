import { type ServerInfo, type Stats, serverInfoSchema, statsSchema } from '../../contract/stats.ts';
import type { TaskType } from '../../contract/tasks.ts';
import { readAs, type Send } from './request.ts';

export interface StatsOptions {
  /** The hour before `until` if not given. */
  from?: Date;
  /** Now if not given. */
  until?: Date;
  /** Stretches of time: 30 if not given, 60 at most. */
  buckets?: number;
  type?: TaskType;
  index?: string;
}

export function serverCalls(send: Send) {
  return {
    /** Tasks over time: how many were created, ended and were open. */
    async stats(options: StatsOptions = {}): Promise<Stats> {
      return readAs(await send('GET', '/v1/stats', { query: { ...options } }), statsSchema);
    },
    /** The version of the server, and where its Temporal is. */
    async server(): Promise<ServerInfo> {
      return readAs(await send('GET', '/v1/server'), serverInfoSchema);
    },
  };
}
