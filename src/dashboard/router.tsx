import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import type { ComponentType } from 'react';
import { texts } from './search-params.ts';
import { Shell } from './shell/shell.tsx';
import { Empty, Problem } from './ui/states.tsx';

const plain = (component: ComponentType) => ({ default: component });

/** Loads each page when it is first shown, or when the browser has nothing else to do. */
const PAGES = {
  overview: async () => plain((await import('./overview/overview-page.tsx')).OverviewPage),
  tasks: async () => plain((await import('./tasks/tasks-page.tsx')).TasksPage),
  task: async () => plain((await import('./task/task-page.tsx')).TaskPage),
  evaluation: async () => plain((await import('./evaluation/evaluation-page.tsx')).EvaluationPage),
  indexes: async () => plain((await import('./indexes/indexes-page.tsx')).IndexesPage),
  index: async () => plain((await import('./indexes/index-page.tsx')).IndexPage),
  object: async () => plain((await import('./objects/object-page.tsx')).ObjectPage),
  sources: async () => plain((await import('./sources/sources-page.tsx')).SourcesPage),
  source: async () => plain((await import('./sources/source-page.tsx')).SourcePage),
  querySets: async () => plain((await import('./query-sets/query-sets-page.tsx')).QuerySetsPage),
  querySet: async () => plain((await import('./query-sets/query-set-page.tsx')).QuerySetPage),
  audits: async () => plain((await import('./audits/audits-page.tsx')).AuditsPage),
  jobs: async () => plain((await import('./jobs/jobs-page.tsx')).JobsPage),
  search: async () => plain((await import('./search/search-page.tsx')).SearchPage),
  schedules: async () => plain((await import('./schedules/schedules-page.tsx')).SchedulesPage),
  activity: async () => plain((await import('./activity/activity-page.tsx')).ActivityPage),
};

/** Loads the scripts of all pages, so that a page opens also while the API, which serves them, does not answer. */
export async function loadPages(): Promise<void> {
  for (const load of Object.values(PAGES)) await load().catch(() => {});
}

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => <Empty title="There is no such page" />,
  errorComponent: ({ error, reset }) => <Problem error={error} retry={reset} />,
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(PAGES.overview),
});

const tasks = createRoute({
  getParentRoute: () => root,
  path: '/tasks',
  validateSearch: texts('status', 'type', 'index', 'within', 'page'),
  component: lazyRouteComponent(PAGES.tasks),
});

const task = createRoute({
  getParentRoute: () => root,
  path: '/tasks/$taskId',
  component: lazyRouteComponent(PAGES.task),
});

const evaluation = createRoute({
  getParentRoute: () => root,
  path: '/tasks/$taskId/evaluation',
  component: lazyRouteComponent(PAGES.evaluation),
});

const indexes = createRoute({
  getParentRoute: () => root,
  path: '/indexes',
  component: lazyRouteComponent(PAGES.indexes),
});

const index = createRoute({
  getParentRoute: () => root,
  path: '/indexes/$index',
  component: lazyRouteComponent(PAGES.index),
});

const object = createRoute({
  getParentRoute: () => root,
  path: '/indexes/$index/object',
  validateSearch: texts('id'),
  component: lazyRouteComponent(PAGES.object),
});

const sources = createRoute({
  getParentRoute: () => root,
  path: '/sources',
  component: lazyRouteComponent(PAGES.sources),
});

const source = createRoute({
  getParentRoute: () => root,
  path: '/sources/$source',
  component: lazyRouteComponent(PAGES.source),
});

const querySets = createRoute({
  getParentRoute: () => root,
  path: '/query-sets',
  component: lazyRouteComponent(PAGES.querySets),
});

const querySet = createRoute({
  getParentRoute: () => root,
  path: '/query-sets/$querySet',
  component: lazyRouteComponent(PAGES.querySet),
});

const audits = createRoute({
  getParentRoute: () => root,
  path: '/audits',
  component: lazyRouteComponent(PAGES.audits),
});

const jobs = createRoute({
  getParentRoute: () => root,
  path: '/jobs',
  component: lazyRouteComponent(PAGES.jobs),
});

const search = createRoute({
  getParentRoute: () => root,
  path: '/search',
  validateSearch: texts('text', 'left', 'right', 'filter', 'mode', 'exact'),
  component: lazyRouteComponent(PAGES.search),
});

const schedules = createRoute({
  getParentRoute: () => root,
  path: '/schedules',
  component: lazyRouteComponent(PAGES.schedules),
});

const activity = createRoute({
  getParentRoute: () => root,
  path: '/activity',
  validateSearch: texts('minutes', 'type'),
  component: lazyRouteComponent(PAGES.activity),
});

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    tasks,
    task,
    evaluation,
    indexes,
    index,
    object,
    sources,
    source,
    querySets,
    querySet,
    audits,
    jobs,
    search,
    schedules,
    activity,
  ]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
