import { createRoute } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { sourceInfoSchema, sourceNameSchema } from '../contract/sources.ts';
import type { Db } from '../store/database.ts';
import type { SourceDatabases } from '../store/sources/databases.ts';
import { readSourceInfo } from '../store/sources/info.ts';
import { forgetDrift } from '../store/sources/install.ts';
import { getSource, setSourceState } from '../store/sources/rows.ts';
import { startFollowing, stopFollowing } from '../temporal/sources.ts';
import { createRouter } from './create-router.ts';
import { problemResponses } from './problems.ts';

const described = { 'application/json': { schema: sourceInfoSchema } };
const request = { params: z.object({ source: sourceNameSchema }) };
const problems = problemResponses('InvalidInput', 'SourceNotFound', 'DatabaseUnavailable', 'TemporalUnavailable');

const stop = createRoute({
  method: 'post',
  path: '/{source}/stop',
  operationId: 'stopSource',
  tags: ['sources'],
  summary: 'Follow a source no more until it is started',
  description: 'Its triggers still record changes. Returns once nothing is written any more, after 15 seconds at most.',
  request,
  responses: { 200: { description: 'The source is stopped.', content: described }, ...problems },
});

const start = createRoute({
  method: 'post',
  path: '/{source}/start',
  operationId: 'startSource',
  tags: ['sources'],
  summary: 'Follow a source again, and sync all its rows',
  request,
  responses: { 200: { description: 'The source is followed.', content: described }, ...problems },
});

/** Starts and stops what follows sources. */
export interface SourceFollowing {
  /** Also starts a sync of all rows; returns the id of its task. */
  start(source: { no: number; name: string }): Promise<{ syncTaskId: string }>;
  stop(source: { name: string }): Promise<unknown>;
}

/** Follows sources by workflows. */
export function createSourceFollowing(client: Client, taskQueue: string): SourceFollowing {
  return {
    start: ({ no, name }) => startFollowing(client, { no, name, taskQueue }),
    stop: ({ name }) => stopFollowing(client, { name }),
  };
}

/** Adds `POST /v1/sources/{source}/stop` and `/start`. */
export function createSourceFollowingRouter({
  db,
  sourceDatabases,
  following,
}: {
  db: Db;
  sourceDatabases: SourceDatabases;
  following: SourceFollowing;
}) {
  const infoOf = async (name: string) => readSourceInfo(await getSource(db, name), sourceDatabases);
  return createRouter()
    .openapi(stop, async (c) => {
      const source = await getSource(db, c.req.valid('param').source);
      const by = c.get('caller') as string | undefined;
      await setSourceState(db, source.no, 'stopped', by === undefined ? 'by a call' : `by ${by}`);
      await following.stop(source);
      return c.json(await infoOf(source.name), 200);
    })
    .openapi(start, async (c) => {
      const source = await getSource(db, c.req.valid('param').source);
      if (source.state === 'stopped') {
        await forgetDrift(sourceDatabases.of(source.definition.connectionEnv), source);
        await setSourceState(db, source.no, 'starting');
      }
      await following.start(source);
      return c.json(await infoOf(source.name), 200);
    });
}
