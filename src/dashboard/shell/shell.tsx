import { AppShell, Burger, Group, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  BarChartIcon,
  CalendarIcon,
  CheckCircledIcon,
  DashboardIcon,
  LayersIcon,
  LightningBoltIcon,
  ListBulletIcon,
  MagnifyingGlassIcon,
  QuestionMarkCircledIcon,
  TableIcon,
} from '@radix-ui/react-icons';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { Suspense, useEffect, useRef } from 'react';
import { useSession } from '../api/session.ts';
import { ColorScheme } from './color-scheme.tsx';
import { later, MissingBanner } from './later.tsx';
import { Logo } from './logo.tsx';
import { SignIn } from './sign-in.tsx';
import { Times } from './times.tsx';

// What calls the API is loaded after the frame is painted: its schemas are a third of the scripts.
const Banners = later(async () => (await import('./live.tsx')).Banners);
const Who = later(async () => (await import('./live.tsx')).Who);
const Find = later(async () => (await import('./find.tsx')).Find);
const TaskCounts = later(async () => (await import('./task-counts.tsx')).TaskCounts);
const Shortcuts = later(async () => (await import('./shortcuts.tsx')).Shortcuts);
const Elsewhere = later(async () => (await import('./live.tsx')).Elsewhere);

const PAGES = [
  { to: '/', label: 'Overview', icon: DashboardIcon },
  { to: '/tasks', label: 'Tasks', icon: ListBulletIcon },
  { to: '/indexes', label: 'Indexes', icon: LayersIcon },
  { to: '/search', label: 'Search', icon: MagnifyingGlassIcon },
  { to: '/query-sets', label: 'Query sets', icon: QuestionMarkCircledIcon },
  { to: '/sources', label: 'Sources', icon: TableIcon },
  { to: '/audits', label: 'Audits', icon: CheckCircledIcon },
  { to: '/jobs', label: 'Jobs', icon: LightningBoltIcon },
  { to: '/schedules', label: 'Schedules', icon: CalendarIcon },
  { to: '/activity', label: 'Activity', icon: BarChartIcon },
] as const;

/** The frame of every page, or the sign-in form if the API requires a token. */
export function Shell() {
  const { token, refused } = useSession();
  const cache = useQueryClient();
  const tokenBefore = useRef(token);
  useEffect(() => {
    if (tokenBefore.current !== token) cache.clear();
    tokenBefore.current = token;
  }, [token, cache]);
  return refused === null ? <Pages key={token} /> : <SignIn reason={refused} />;
}

function Pages() {
  const [open, { toggle, close }] = useDisclosure();
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the menu closes when the page changes
  useEffect(close, [pathname]);
  return (
    <AppShell
      header={{ height: 48 }}
      navbar={{ width: 176, breakpoint: 'sm', collapsed: { mobile: !open } }}
      padding={{ base: 'sm', sm: 'lg' }}
    >
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={open} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Menu" aria-expanded={open} />
            <Link to="/" style={{ textDecoration: 'none', color: 'inherit' }} aria-label="reembed">
              <Group gap={8} wrap="nowrap">
                <Logo />
                <Text fw={650} fz="md">
                  reembed
                </Text>
              </Group>
            </Link>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Suspense>
              <Find />
              <Shortcuts />
              <Who />
            </Suspense>
            <Times />
            <ColorScheme />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages" className="pages" data-open={open || undefined}>
        <Stack gap={2} style={{ flex: 1 }}>
          {PAGES.map(({ to, label, icon: Icon }) => (
            <Link key={to} to={to} className="nav-link" activeOptions={{ exact: to === '/' }}>
              <Icon aria-hidden className="nav-icon" />
              <span>
                {label}
                {to === '/tasks' && (
                  <Suspense>
                    <TaskCounts />
                  </Suspense>
                )}
              </span>
            </Link>
          ))}
        </Stack>
        <Suspense>
          <Elsewhere />
        </Suspense>
      </AppShell.Navbar>
      <AppShell.Main ref={main} id="main" tabIndex={-1} style={{ outline: 'none', minWidth: 0 }}>
        <MissingBanner />
        <Suspense>
          <Banners />
        </Suspense>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}
