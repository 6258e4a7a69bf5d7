import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { DefaultTheme } from 'vitepress';

const PARTS: Record<string, Record<string, string>> = {
  Start: { index: 'Overview', 'quick-start': 'Quick start' },
  Concepts: { concepts: 'Terms and components', protocol: 'The write protocol', tasks: 'Tasks and statuses' },
  'How to': {
    models: 'Choose a model',
    'change-model': 'Change the model',
    indexes: 'Make an index smaller',
    'roll-back': 'Roll back',
    'full-text': 'Search by words',
    sources: 'Follow a table',
    'bulk-load': 'Load a million lines',
    vectors: 'Bring vectors along',
    client: 'Use the clients',
    sql: 'Search in your own SQL',
    integrations: 'Integrations and local models',
    filters: 'Filter searches',
    jobs: 'Run jobs and schedules',
    inspect: 'Watch and control tasks',
    dashboard: 'Use the dashboard',
    'own-app': 'Mount it in your own app',
    security: 'Secure it',
    run: 'Deploy and upgrade it',
    scale: 'Scale out',
    operate: 'Operate it',
    audit: 'Audit and doctor',
  },
  Reference: {
    'reference/cli': 'Commands',
    cli: 'Exit codes, JSON, completion',
    settings: 'Settings',
    errors: 'Errors',
    'reference/examples': 'Examples',
    benchmarks: 'Benchmarks',
  },
  Internals: { architecture: 'Architecture' },
};

/** Returns the existing pages in the order of the table, then decisions, HTTP API and TypeScript in folder order. */
export function sidebar(docs: URL): DefaultTheme.SidebarItem[] {
  const parts = Object.entries(PARTS).map(([text, pages]) => ({
    text,
    items: Object.entries(pages)
      .filter(([page]) => existsSync(new URL(`${page}.md`, docs)))
      .map(([page, title]) => ({ text: title, link: `/${page === 'index' ? '' : page}` })),
  }));
  return [
    ...parts,
    { text: 'Decisions', collapsed: true, items: made('decisions', docs) },
    { text: 'HTTP API', collapsed: true, items: made('reference/http', docs) },
    { text: 'TypeScript', collapsed: true, items: made('reference/typescript/reembed', docs) },
  ];
}

function made(folder: string, docs: URL): DefaultTheme.SidebarItem[] {
  return readdirSync(new URL(folder, docs)).map((file) => {
    const [, title = file] = /^# (.*)$/m.exec(readFileSync(new URL(`${folder}/${file}`, docs), 'utf8')) ?? [];
    return { text: title, link: `/${folder}/${file.replace(/\.md$/, '')}` };
  });
}
