import { Code, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { SourceInfo } from '../../contract/sources.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card, PageHead } from '../ui/card.tsx';
import { IndexLink, PageLink } from '../ui/links.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { sourcesQuery, tableText } from './queries.ts';
import { SourceDialog } from './source-dialog.tsx';
import { Backlog, State } from './state.tsx';

/** The page of all sources: the tables that indexes follow. */
export function SourcesPage() {
  const { data, error, refetch } = useQuery(sourcesQuery);
  const [adding, setAdding] = useState(false);
  return (
    <>
      <PageHead
        title="Sources"
        actions={
          <ActionButton needs="admin" onClick={() => setAdding(true)}>
            Add a source…
          </ActionButton>
        }
      />
      <Card flush>
        {error && !data && <Problem error={error} retry={() => void refetch()} title="The sources cannot be listed" />}
        {!data && !error && <Loading />}
        {data?.length === 0 && (
          <Empty title="No sources yet">
            A source lets an index follow a table of a Postgres database: rows that change are embedded by themselves.
            Add one here, or with <Code>reembed sources add</Code>.
          </Empty>
        )}
        {data && data.length > 0 && <SourceTable sources={data} />}
      </Card>
      {adding && <SourceDialog onClose={() => setAdding(false)} />}
    </>
  );
}

function SourceTable({ sources }: { sources: readonly SourceInfo[] }) {
  return (
    <Table layout="fixed" aria-label="Sources" highlightOnHover>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Source</Table.Th>
          <Table.Th w="24%" visibleFrom="sm">
            State
          </Table.Th>
          <Table.Th w="22%" visibleFrom="sm">
            Backlog
          </Table.Th>
          <Table.Th w="22%" visibleFrom="md">
            Index
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {sources.map((source) => (
          <SourceRow key={source.name} source={source} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function SourceRow({ source }: { source: SourceInfo }) {
  const { name, reason, definition } = source;
  const state = (
    <>
      <State state={source.state} />
      {reason !== null && (
        <Text fz="xs" c={source.state === 'waiting' ? 'var(--mantine-color-error)' : 'dimmed'} className="excerpt">
          {reason}
        </Text>
      )}
    </>
  );
  return (
    <Table.Tr data-source={name}>
      <Table.Td>
        <PageLink to="/sources/$source" params={{ source: name }} className="id" fz="inherit">
          {name}
        </PageLink>
        <Text fz="xs" c="dimmed" className="wrap">
          table {tableText(source)}
        </Text>
        <Stack gap={4} mt={4} hiddenFrom="sm" fz="xs">
          <div>{state}</div>
          <span>
            backlog: <Backlog source={source} />
          </span>
        </Stack>
      </Table.Td>
      <Table.Td visibleFrom="sm">{state}</Table.Td>
      <Table.Td visibleFrom="sm">
        <Backlog source={source} />
      </Table.Td>
      <Table.Td visibleFrom="md">
        <IndexLink name={definition.index} />
      </Table.Td>
    </Table.Tr>
  );
}
