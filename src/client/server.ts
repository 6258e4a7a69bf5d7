import { type Doctor, doctorSchema } from '../contract/doctor.ts';
import { type ServerHealth, serverHealthSchema } from '../contract/health.ts';
import { type ServerInfo, type Stats, serverInfoSchema, statsSchema } from '../contract/stats.ts';
import type { TaskType } from '../contract/task-types.ts';
import { readAs, type Send } from './request.ts';

export interface StatsOptions {
  /** Default: one hour before `until`. */
  from?: Date;
  /** Default: now. */
  until?: Date;
  /** Number of intervals; default: 30, max.: 60. */
  buckets?: number;
  type?: TaskType;
  index?: string;
}

export function serverCalls(send: Send) {
  return {
    /** Returns how many tasks were created, ended and open over time. */
    async stats(options: StatsOptions = {}): Promise<Stats> {
      return readAs(await send('GET', '/v1/stats', { query: { ...options } }), statsSchema);
    },
    /** Returns whether Postgres, Temporal and the workers answer. `healthProblems` says what to do about it. */
    async health(options: { signal?: AbortSignal } = {}): Promise<ServerHealth> {
      return readAs(await send('GET', '/v1/health', options), serverHealthSchema);
    },
    /** Returns what is wrong with the database, Temporal and the settings, or will hurt, and what to do about it. */
    async doctor(): Promise<Doctor> {
      return readAs(await send('GET', '/v1/doctor'), doctorSchema);
    },
    /** Returns the version of the server and the address of its Temporal. */
    async server(): Promise<ServerInfo> {
      return readAs(await send('GET', '/v1/server'), serverInfoSchema);
    },
  };
}
