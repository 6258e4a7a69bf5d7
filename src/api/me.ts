import { createRoute } from '@hono/zod-openapi';
import { meBody } from '../contract/me.ts';
import { createRouter } from './create-router.ts';

const getMe = createRoute({
  method: 'get',
  path: '/',
  operationId: 'getMe',
  tags: ['operation'],
  summary: 'Who the caller is to the API, and what it may do',
  responses: { 200: { description: 'The caller.', content: { 'application/json': { schema: meBody } } } },
});

export function createMeRouter() {
  return createRouter().openapi(getMe, (c) =>
    c.json({ name: c.get('caller') ?? null, role: c.get('role') ?? ('admin' as const) }, 200),
  );
}
