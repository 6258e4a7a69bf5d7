import { existsSync } from 'node:fs';
import { defineConfig } from 'vitepress';
import { drawDiagrams } from './diagrams.ts';
import { linkOutside } from './links.ts';
import { sidebar } from './sidebar.ts';

const docs = new URL('../', import.meta.url);
if (!existsSync(new URL('reference/cli.md', docs))) throw new Error('run `npm run docs` or `npm run build:docs`');

export default defineConfig({
  title: 'reembed',
  description: 'Keeps vector indexes right while they are written to and rebuilt.',
  lang: 'en',
  cleanUrls: false,
  // Pages of a checkout, not of the site: pictures are taken from there.
  srcExclude: ['images/**'],
  // A link that leads nowhere fails the build; addresses of a running `reembed dev` are no pages.
  ignoreDeadLinks: [/^http:\/\/(localhost|127\.0\.0\.1)/],
  markdown: {
    config(md) {
      drawDiagrams(md);
      linkOutside(md);
    },
  },
  // The index of the search is one file, which is fetched when someone searches.
  vite: { build: { chunkSizeWarningLimit: 3_000 } },
  themeConfig: {
    nav: [
      { text: 'Quick start', link: '/quick-start' },
      { text: 'Concepts', link: '/concepts' },
      { text: 'Commands', link: '/reference/cli' },
      { text: 'HTTP API', link: '/reference/http/indexes' },
    ],
    sidebar: sidebar(docs),
    outline: [2, 3],
    search: { provider: 'local' },
  },
});
