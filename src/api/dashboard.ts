import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { html } from 'hono/html';
import type { ApiEnv } from './create-router.ts';
import { page } from './reference.ts';

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
