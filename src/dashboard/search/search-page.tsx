import { Button, Group, NativeSelect, SimpleGrid, TextInput } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useAccess } from '../api/access.ts';
import { reembed } from '../api/client.ts';
import { indexesQuery } from '../api/queries.ts';
import { Card, PageHead } from '../ui/card.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { filterOf } from './filter.ts';
import { Hits } from './hits.tsx';

const route = getRouteApi('/search');
const LIMIT = 10;

/** Runs one search on two indexes side by side, to show what a new model changes. */
export function SearchPage() {
  const { data, error, refetch } = useQuery(indexesQuery);
  const reason = useAccess().reasonNot('operate');
  if (reason !== null) return <Nothing title="Not shown to this token">{reason}</Nothing>;
  if (!data) return error ? <Problem error={error} retry={() => void refetch()} /> : <Loading />;
  if (data.length === 0) {
    return <Nothing title="Nothing to search yet">Create an index and add objects to it first.</Nothing>;
  }
  const names = [...data.flatMap(({ aliases }) => aliases), ...data.map(({ name }) => name)];
  return <Search key={names.join()} names={names} />;
}

function Nothing({ title, children }: { title: string; children: string }) {
  return (
    <>
      <PageHead title="Search" />
      <Card>
        <Empty title={title}>{children}</Empty>
      </Card>
    </>
  );
}

function Search({ names }: { names: readonly string[] }) {
  const asked = route.useSearch();
  const navigate = useNavigate({ from: '/search' });
  const [text, setText] = useState(asked.text ?? '');
  const [filter, setFilter] = useState(asked.filter ?? '');
  const left = asked.left ?? names[0] ?? '';
  const right = asked.right ?? names.find((name) => name !== left) ?? '';
  const written = filterOf(filter);
  const set = (change: Partial<typeof asked>) => void navigate({ search: { ...asked, ...change }, replace: true });
  const options = (chosen: string) => [...new Set([...names, chosen].filter((name) => name !== ''))];
  return (
    <>
      <PageHead title="Search" />
      <Card>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (!written.error) set({ text, filter: filter || undefined, left, right: right || undefined });
          }}
        >
          <Group gap="xs" align="flex-end">
            <TextInput
              label="Search for"
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              style={{ flex: '3 1 220px' }}
            />
            <TextInput
              label="Metadata filter (JSON)"
              placeholder='{"lang": "en"}'
              value={filter}
              onChange={(event) => setFilter(event.currentTarget.value)}
              error={written.error}
              style={{ flex: '2 1 160px' }}
              spellCheck={false}
            />
            <Button type="submit" disabled={text === ''}>
              Search
            </Button>
          </Group>
        </form>
      </Card>
      <SimpleGrid cols={{ base: 1, sm: 2 }} mt="md" spacing="md">
        <Side
          side="First index"
          name={left}
          names={options(left)}
          onName={(name) => set({ left: name })}
          asked={asked}
          other={right}
        />
        <Side
          side="Second index"
          name={right}
          names={['', ...options(right)]}
          onName={(name) => set({ right: name || undefined })}
          asked={asked}
          other={left}
        />
      </SimpleGrid>
    </>
  );
}

interface SideProps {
  side: string;
  name: string;
  names: readonly string[];
  onName: (name: string) => void;
  asked: { text?: string; filter?: string };
  /** The index of the other side, to compare with. */
  other: string;
}

function useSearch(index: string, { text, filter }: SideProps['asked']) {
  return useQuery({
    queryKey: ['search', index, text, filter],
    queryFn: async () => {
      const start = performance.now();
      const result = await reembed.search(index, { text, limit: LIMIT, filter: filterOf(filter ?? '').filter });
      return { ...result, ms: performance.now() - start };
    },
    enabled: Boolean(text) && index !== '',
    placeholderData: keepPreviousData,
    retry: false,
  });
}

function Side({ side, name, names, onName, asked, other }: SideProps) {
  const mine = useSearch(name, asked);
  const theirs = useSearch(other, asked);
  return (
    <Card
      flush
      title={
        <NativeSelect
          size="xs"
          aria-label={side}
          data={names.map((value) => ({ value, label: value || 'none' }))}
          value={name}
          onChange={(event) => onName(event.currentTarget.value)}
        />
      }
    >
      {mine.error && <Problem error={mine.error} title="The search failed" />}
      {mine.isLoading && <Loading />}
      {!asked.text && <Empty title="No search yet">Enter a text above.</Empty>}
      {asked.text && name !== '' && mine.data && (
        <Hits result={mine.data} ms={mine.data.ms} other={name === other ? undefined : theirs.data?.hits} />
      )}
    </Card>
  );
}
