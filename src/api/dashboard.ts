import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono, type MiddlewareHandler } from 'hono';
import { html } from 'hono/html';
import type { ApiEnv } from './create-router.ts';
import { page } from './reference.ts';
import { routesOf } from './request-route.ts';

/** Output of `npm run build`: the same folder from `src/api` and from `dist/api`. */
const BUILT = fileURLToPath(new URL('../../dist/dashboard', import.meta.url));

/** Addresses of the dashboard's pages. All others belong to the API, so pages never shadow it. */
export const DASHBOARD_PAGES = [
  '/',
  '/tasks',
  '/tasks/*',
  '/indexes',
  '/indexes/*',
  '/sources',
  '/sources/*',
  '/query-sets',
  '/query-sets/*',
  '/audits',
  '/jobs',
  '/search',
  '/schedules',
  '/activity',
];

/**
 * Serves the dashboard as static files: one page, and scripts and styles whose names contain a hash of their content.
 * They hold no data, so they need no token: the page asks for one and sends it with every call.
 */
export function createDashboard(folder: string = BUILT): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  const index = path.join(folder, 'index.html');
  for (const address of DASHBOARD_PAGES) {
    app.get(address, async (c, next) => {
      if (!existsSync(index)) return c.html(notBuilt(), address === '/' ? 200 : 503);
      c.header('cache-control', 'no-cache');
      return serveStatic<ApiEnv>({ path: index })(c, next);
    });
  }
  app.get('/assets/*', async (c, next) => {
    if (!existsSync(index)) return next();
    const found = await serveStatic<ApiEnv>({ root: folder, precompressed: true })(c, next);
    if (found instanceof Response) found.headers.set('cache-control', 'public, max-age=31536000, immutable');
    return found;
  });
  return app;
}

/** Addresses of programs, which get a problem in JSON whatever they accept. */
const OF_PROGRAMS = /^\/(?:v1|codec|assets)(?:\/|$)/;

/**
 * Shows the dashboard, which says that there is no such page, to a browser with an address that does not exist. It needs no
 * token, like the other pages: a browser sends none when it loads an address.
 */
export function missingPage(folder: string = BUILT): MiddlewareHandler<ApiEnv> {
  const index = path.join(folder, 'index.html');
  return async (c, next) => {
    const { method, path: address } = c.req;
    const isBrowser = method === 'GET' && (c.req.header('accept') ?? '').includes('text/html');
    if (!isBrowser || OF_PROGRAMS.test(address) || routesOf(c).length > 0 || !existsSync(index)) return next();
    c.header('cache-control', 'no-cache');
    return c.html(await readFile(index, 'utf8'), 404);
  };
}

function notBuilt() {
  return page(
    'reembed',
    html`<h1>reembed</h1>
<p>The dashboard has not been built in this checkout: run <code>npm run build:dashboard</code>, then load this page again.</p>
<ul>
<li><a href="/docs">API reference</a></li>
<li><a href="/openapi.json">OpenAPI document</a></li>
<li><a href="/readyz">Readiness</a></li>
<li><a href="/metrics">Metrics</a></li>
</ul>`,
  );
}
