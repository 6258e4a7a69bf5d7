import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { z } from 'zod';
import { nameSchema } from '../contract/indexes.ts';
import { taskTypeSchema } from '../contract/task-types.ts';
import { taskStatusSchema } from '../contract/tasks.ts';
import { EvaluationPage } from './evaluation/evaluation-page.tsx';
import { IndexPage } from './indexes/index-page.tsx';
import { IndexesPage } from './indexes/indexes-page.tsx';
import { SchedulesPage } from './schedules/schedules-page.tsx';
import { SearchPage } from './search/search-page.tsx';
import { Shell } from './shell/shell.tsx';
import { TaskPage } from './task/task-page.tsx';
import { TasksPage } from './tasks/tasks-page.tsx';
import { WITHIN } from './tasks/within.ts';
import { Empty, Problem } from './ui/states.tsx';

/** Makes a search parameter optional and ignores invalid values, so that a bad link still works. */
const one = <S extends z.ZodType>(schema: S) => schema.optional().catch(undefined);

const root = createRootRoute({
  component: Shell,
  notFoundComponent: () => <Empty title="There is no such page" />,
  errorComponent: ({ error, reset }) => <Problem error={error} retry={reset} />,
});

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/tasks', replace: true });
  },
});

const tasks = createRoute({
  getParentRoute: () => root,
  path: '/tasks',
  validateSearch: z.object({
    status: one(taskStatusSchema),
    type: one(taskTypeSchema),
    index: one(nameSchema),
    within: one(z.enum(WITHIN)),
  }),
  component: TasksPage,
});

const task = createRoute({
  getParentRoute: () => root,
  path: '/tasks/$taskId',
  component: function Task() {
    const { taskId } = task.useParams();
    return <TaskPage key={taskId} taskId={taskId} />;
  },
});

const evaluation = createRoute({
  getParentRoute: () => root,
  path: '/tasks/$taskId/evaluation',
  component: function Evaluation() {
    const { taskId } = evaluation.useParams();
    return <EvaluationPage key={taskId} taskId={taskId} />;
  },
});

const indexes = createRoute({ getParentRoute: () => root, path: '/indexes', component: IndexesPage });

const index = createRoute({
  getParentRoute: () => root,
  path: '/indexes/$index',
  component: function Index() {
    const { index: name } = index.useParams();
    return <IndexPage key={name} name={name} />;
  },
});

const search = createRoute({
  getParentRoute: () => root,
  path: '/search',
  validateSearch: z.object({
    text: one(z.string()),
    left: one(nameSchema),
    right: one(nameSchema),
    filter: one(z.string()),
  }),
  component: SearchPage,
});

const schedules = createRoute({ getParentRoute: () => root, path: '/schedules', component: SchedulesPage });

const activity = createRoute({
  getParentRoute: () => root,
  path: '/activity',
  // Loaded lazily: the charts are the largest part of the dashboard, and rarely opened first.
  component: lazyRouteComponent(() => import('./activity/activity-page.tsx'), 'ActivityPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([home, tasks, task, evaluation, indexes, index, search, schedules, activity]),
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
