import { Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { QuerySetInfo } from '../../contract/query-sets.ts';
import { querySetsQuery } from '../api/queries.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card, PageHead } from '../ui/card.tsx';
import { number } from '../ui/format.ts';
import { PageLink } from '../ui/links.tsx';
import { Moment } from '../ui/moment.tsx';
import { RecentTasks } from '../ui/recent-tasks.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { EvaluateDialog } from './evaluate-dialog.tsx';
import { NewQuerySet } from './new-query-set.tsx';
import { originText } from './origin.ts';
import { SampledSearches } from './sampled-searches.tsx';

const EVALUATIONS = { type: 'evaluate' } as const;

/** The page of query sets: by which two indexes are compared, and what they are made from. */
export function QuerySetsPage() {
  const { data, error, refetch } = useQuery({ ...querySetsQuery, refetchInterval: 5_000 });
  const [creating, setCreating] = useState(false);
  const [comparing, setComparing] = useState(false);
  const create = (
    <ActionButton variant={data?.length ? 'default' : 'filled'} onClick={() => setCreating(true)}>
      New query set…
    </ActionButton>
  );
  return (
    <>
      <PageHead
        title="Query sets"
        actions={
          data?.length ? (
            <>
              {create}
              <ActionButton variant="filled" onClick={() => setComparing(true)}>
                Compare two indexes…
              </ActionButton>
            </>
          ) : null
        }
      />
      <Stack gap="md">
        <Card flush>
          {error && !data && (
            <Problem error={error} retry={() => void refetch()} title="The query sets cannot be listed" />
          )}
          {!data && !error && <Loading rows={3} />}
          {data?.length === 0 && (
            <Empty title="No query sets yet" action={create}>
              A query set is a list of searches, with or without the objects that they should find. It shows whether
              another model finds more before you switch to it.
            </Empty>
          )}
          {data && data.length > 0 && <SetTable sets={data} />}
        </Card>
        <SampledSearches />
        <RecentTasks title="Last comparisons" filter={EVALUATIONS} shown={5} />
      </Stack>
      {creating && <NewQuerySet taken={data ?? []} onClose={() => setCreating(false)} />}
      {comparing && <EvaluateDialog sets={data ?? []} onClose={() => setComparing(false)} />}
    </>
  );
}

function SetTable({ sets }: { sets: readonly QuerySetInfo[] }) {
  return (
    <Table highlightOnHover layout="fixed" aria-label="Query sets">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Query set</Table.Th>
          <Table.Th w={90} ta="right">
            Queries
          </Table.Th>
          <Table.Th w={90} ta="right" visibleFrom="sm">
            Judged
          </Table.Th>
          <Table.Th w="28%" visibleFrom="md">
            Made from
          </Table.Th>
          <Table.Th w={130} ta="right" visibleFrom="sm">
            Changed
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {sets.map((set) => (
          <Table.Tr key={set.name} data-query-set={set.name}>
            <Table.Td>
              <PageLink to="/query-sets/$querySet" params={{ querySet: set.name }} className="id" fz="inherit">
                {set.name}
              </PageLink>
              <Text fz="xs" c="dimmed" className="wrap" hiddenFrom="md">
                {originText(set)}
              </Text>
            </Table.Td>
            <Table.Td ta="right">{number(set.queries)}</Table.Td>
            <Table.Td ta="right" visibleFrom="sm">
              {number(set.judged)}
            </Table.Td>
            <Table.Td visibleFrom="md" className="wrap">
              {originText(set)}
            </Table.Td>
            <Table.Td ta="right" visibleFrom="sm">
              <Moment at={set.updateTime} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
