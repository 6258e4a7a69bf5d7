import { Button, Checkbox, Group, SimpleGrid, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { IndexInfo } from '../../contract/indexes.ts';
import { useAccess } from '../api/access.ts';
import { indexesQuery } from '../api/queries.ts';
import { Card, PageHead } from '../ui/card.tsx';
import { Choice, type Option } from '../ui/choice.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { type Asked, type Mode, modeOf } from './asked.ts';
import { filterOf } from './filter.ts';
import { FilterEditor } from './filter-editor.tsx';
import { NO_INDEX, partnerOf } from './partner.ts';
import { Side } from './side.tsx';

const route = getRouteApi('/search');

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
  return <Search key={names.join()} names={names} indexes={data} />;
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

const MODE_OPTIONS: Option<Mode>[] = [
  { value: 'vector', label: 'by meaning' },
  { value: 'text', label: 'by words' },
  { value: 'hybrid', label: 'by both' },
];

function Search({ names, indexes }: { names: readonly string[]; indexes: readonly IndexInfo[] }) {
  const asked = route.useSearch();
  const navigate = useNavigate({ from: '/search' });
  const left = asked.left ?? names[0] ?? '';
  const right = asked.right === NO_INDEX ? '' : (asked.right ?? partnerOf(left, indexes));
  const set = (change: Asked) => void navigate({ search: { ...asked, ...change }, replace: true });
  const options = (chosen: string) => [...new Set([...names, chosen].filter((name) => name !== ''))];
  return (
    <>
      <PageHead title="Search" />
      <Card>
        <SearchForm asked={asked} onAsk={(change) => set({ ...change, left })} />
      </Card>
      <SimpleGrid cols={{ base: 1, sm: 2 }} mt="md" spacing="md">
        <Side
          label="First index"
          name={left}
          names={options(left)}
          onName={(name) => set({ left: name })}
          asked={asked}
          other={right}
        />
        <Side
          label="Second index"
          name={right}
          names={['', ...options(right)]}
          onName={(name) => set({ right: name || NO_INDEX })}
          asked={asked}
          other={left}
        />
      </SimpleGrid>
    </>
  );
}

/** The text, how it is searched for, and the filter. */
function SearchForm({ asked, onAsk }: { asked: Asked; onAsk: (change: Asked) => void }) {
  const [text, setText] = useState(asked.text ?? '');
  const [filter, setFilter] = useState(asked.filter ?? '');
  const mode = modeOf(asked);
  // What is wrong is said when it is sent, not while it is typed; then it goes away as soon as it is right.
  const [isSent, setIsSent] = useState(false);
  const { issues } = filterOf(filter);
  const submit = () => {
    setIsSent(true);
    if (issues.length === 0 && text !== '') onAsk({ text, filter: filter.trim() === '' ? undefined : filter });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap="sm">
        <Group gap="xs" align="flex-end">
          <TextInput
            label="Search for"
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            error={isSent && text === '' ? 'Enter a text.' : undefined}
            style={{ flex: '3 1 220px' }}
          />
          <Choice label="How" options={MODE_OPTIONS} value={mode} onChange={(next) => onAsk({ mode: next })} />
          <Button type="submit">Search</Button>
        </Group>
        <Checkbox
          label="Exact: compare every vector, without the index"
          disabled={mode === 'text'}
          checked={asked.exact === 'true' && mode !== 'text'}
          onChange={(event) => onAsk({ exact: event.currentTarget.checked ? 'true' : undefined })}
        />
        <FilterEditor value={filter} onChange={setFilter} issues={isSent ? issues : []} />
      </Stack>
    </form>
  );
}
