import { AppShell, Burger, Group, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useAccess } from '../api/access.ts';
import { serverQuery } from '../api/queries.ts';
import { useSession } from '../api/session.ts';
import { ColorScheme } from './color-scheme.tsx';
import { ConnectionBanner } from './connection-banner.tsx';
import { Logo } from './logo.tsx';
import { SignIn } from './sign-in.tsx';
import { SignOut } from './sign-out.tsx';

const PAGES = [
  { to: '/tasks', label: 'Tasks' },
  { to: '/indexes', label: 'Indexes' },
  { to: '/search', label: 'Search' },
  { to: '/schedules', label: 'Schedules' },
  { to: '/activity', label: 'Activity' },
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
            <Link to="/tasks" style={{ textDecoration: 'none', color: 'inherit' }} aria-label="reembed">
              <Group gap={8} wrap="nowrap">
                <Logo />
                <Text fw={650} fz="md">
                  reembed
                </Text>
              </Group>
            </Link>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Who />
            <ColorScheme />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages" className="pages" data-open={open || undefined}>
        <Stack gap={2} style={{ flex: 1 }}>
          {PAGES.map(({ to, label }) => (
            <Link key={to} to={to} className="nav-link">
              {label}
            </Link>
          ))}
        </Stack>
        <Elsewhere />
      </AppShell.Navbar>
      <AppShell.Main ref={main} id="main" tabIndex={-1} style={{ outline: 'none', minWidth: 0 }}>
        <ConnectionBanner />
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

/** The name and role of the token, if tokens are required. */
function Who() {
  const { token } = useSession();
  const { name, role } = useAccess();
  if (token === null) return null;
  return (
    <>
      <Text fz="xs" c="dimmed" truncate maw={220}>
        {name === null ? role : `${name} (${role})`}
      </Text>
      <SignOut />
    </>
  );
}

function Elsewhere() {
  const { data } = useQuery(serverQuery);
  return (
    <Stack gap={2}>
      {data?.temporal.uiUrl && (
        <a className="nav-link" href={data.temporal.uiUrl} target="_blank" rel="noreferrer">
          Temporal UI ↗
        </a>
      )}
      <a className="nav-link" href="/docs" target="_blank" rel="noreferrer">
        API reference ↗
      </a>
      <Text fz="xs" c="dimmed" px={10} py={4}>
        {data ? `version ${data.version}` : ' '}
      </Text>
    </Stack>
  );
}
