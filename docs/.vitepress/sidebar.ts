import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { DefaultTheme } from 'vitepress';

const PARTS: Record<string, Record<string, string>> = {
  Start: { index: 'What there is', 'quick-start': 'Quick start' },
  Concepts: { concepts: 'Words and parts', protocol: 'The write protocol', tasks: 'Tasks and statuses' },
  'How to': {
    'change-model': 'Change the model',
    'roll-back': 'Roll back',
    'bulk-load': 'Load a million lines',
    client: 'Use the clients',
    jobs: 'Run jobs and schedules',
    inspect: 'Watch and steer tasks',
    dashboard: 'Use the dashboard',
    'own-app': 'Put it into your own app',
    security: 'Secure it',
    run: 'Run it',
    scale: 'Scale out',
    operate: 'Operate it',
  },
  Reference: {
    'reference/cli': 'Commands',
    cli: 'Exit codes, JSON, completion',
    settings: 'Settings',
    errors: 'Errors',
    'reference/examples': 'Examples',
    benchmarks: 'Benchmarks',
  },
};

/** Pages that are there, in the order of the table; those of the HTTP API and of TypeScript as they were made. */
export function sidebar(docs: URL): DefaultTheme.SidebarItem[] {
  const parts = Object.entries(PARTS).map(([text, pages]) => ({
    text,
    items: Object.entries(pages)
      .filter(([page]) => existsSync(new URL(`${page}.md`, docs)))
      .map(([page, title]) => ({ text: title, link: `/${page === 'index' ? '' : page}` })),
  }));
  return [
    ...parts,
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
