import { Button, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue, useDisclosure, useHotkeys } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { reembed } from '../api/client.ts';
import { indexesQuery, jobsQuery, querySetsQuery, schedulesQuery } from '../api/queries.ts';
import { sourcesQuery } from '../sources/queries.ts';

interface Found {
  /** Unique among what was found. */
  key: string;
  kind: string;
  name: string;
  /** Where it is in the dashboard. */
  to:
    | { to: '/tasks/$taskId'; params: { taskId: string } }
    | { to: '/indexes/$index'; params: { index: string } }
    | { to: '/query-sets/$querySet'; params: { querySet: string } }
    | { to: '/sources/$source'; params: { source: string } }
    | { to: '/jobs' };
}

const MAX_FOUND = 12;
/** Tasks whose ids are searched for a part; any task is found by its whole id. */
const RECENT = 200;
const PAUSE_MS = 200;

/** The button that opens the find box, and the keys that do: Ctrl-K, ⌘K and the slash. */
export function Find() {
  const [isOpen, { open, close }] = useDisclosure();
  useHotkeys([
    ['mod+K', open],
    ['/', open],
  ]);
  return (
    <>
      <Button variant="default" onClick={open} aria-keyshortcuts="Control+K Meta+K /" title="Ctrl-K">
        Find…
      </Button>
      {isOpen && <FindBox onClose={close} />}
    </>
  );
}

function FindBox({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [asked] = useDebouncedValue(text.trim(), PAUSE_MS);
  const { found, isAsking } = useFound(asked);
  const isCurrent = asked === text.trim() && !isAsking;
  return (
    <Modal opened onClose={onClose} title="Find by name or id">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const [first] = found;
          if (!first || !isCurrent) return;
          onClose();
          void navigate(first.to);
        }}
      >
        <Stack gap="sm">
          <TextInput
            aria-label="Name or id"
            placeholder="Name, or id of a task"
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            spellCheck={false}
            data-autofocus
          />
          <ul aria-label="Found" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
            {found.map(({ key, kind, name, to }) => (
              <li key={key}>
                <Link {...to} onClick={onClose} className="nav-link">
                  <span className="id">{name}</span>{' '}
                  <Text component="span" fz="xs" c="dimmed">
                    {kind}
                  </Text>
                </Link>
              </li>
            ))}
          </ul>
          <Text fz="xs" c="dimmed" role="status">
            {asked === ''
              ? 'Enter opens the first one.'
              : isCurrent && found.length === 0
                ? 'Nothing has this name. A task that is not recent is found by its whole id.'
                : ''}
          </Text>
        </Stack>
      </form>
    </Modal>
  );
}

/** Finds what has a text in its name; a task also by its whole id, however old it is. */
function useFound(text: string): { found: Found[]; isAsking: boolean } {
  const isAsked = text !== '';
  const indexes = useQuery({ ...indexesQuery, refetchInterval: false, enabled: isAsked }).data ?? [];
  const defined = useQuery({ ...jobsQuery, enabled: isAsked }).data?.jobs ?? [];
  const schedules = useQuery({ ...schedulesQuery, refetchInterval: false, enabled: isAsked }).data?.schedules ?? [];
  const sets = useQuery({ ...querySetsQuery, enabled: isAsked }).data ?? [];
  const sources = useQuery({ ...sourcesQuery, refetchInterval: false, enabled: isAsked }).data ?? [];
  // The API of a process without definitions knows jobs by their schedules only.
  const jobs = [...new Set([...defined, ...schedules].map(({ name }) => name))];
  const recent = useQuery({
    queryKey: ['find', 'recent'],
    queryFn: () => reembed.tasks.page({ limit: RECENT }),
    staleTime: 5_000,
    enabled: isAsked,
  });
  const exact = useQuery({
    queryKey: ['find', 'task', text],
    queryFn: () => reembed.tasks.info(text).catch(() => null),
    enabled: isAsked,
    retry: false,
  });
  const has = (name: string) => name.toLowerCase().includes(text.toLowerCase());
  const tasks = (recent.data?.tasks ?? []).filter(({ id }) => has(id));
  const all = exact.data ? [exact.data, ...tasks.filter(({ id }) => id !== exact.data?.id)] : tasks;
  if (!isAsked) return { found: [], isAsking: false };
  const named = (kind: string, items: readonly { name: string }[], to: (name: string) => Found['to']): Found[] =>
    items.filter(({ name }) => has(name)).map(({ name }) => ({ key: `${kind} ${name}`, kind, name, to: to(name) }));
  const toIndex = (index: string) => ({ to: '/indexes/$index', params: { index } }) as const;
  const found: Found[] = [
    ...indexes.flatMap(({ aliases, name }) =>
      aliases
        .filter(has)
        .map((alias) => ({ key: `alias ${alias}`, kind: `alias of ${name}`, name: alias, to: toIndex(alias) })),
    ),
    ...named('index', indexes, toIndex),
    ...named('query set', sets, (querySet) => ({ to: '/query-sets/$querySet', params: { querySet } })),
    ...named('source', sources, (source) => ({ to: '/sources/$source', params: { source } })),
    ...jobs.filter(has).map((name) => ({ key: `job ${name}`, kind: 'job', name, to: { to: '/jobs' } as const })),
    ...all.map(({ id, type, status }) => ({
      key: `task ${id}`,
      kind: `${type}, ${status}`,
      name: id,
      to: { to: '/tasks/$taskId', params: { taskId: id } } as const,
    })),
  ];
  // The whole name comes before a part of it.
  found.sort((a, b) => Number(b.name === text) - Number(a.name === text));
  return { found: found.slice(0, MAX_FOUND), isAsking: exact.isLoading || recent.isLoading };
}
