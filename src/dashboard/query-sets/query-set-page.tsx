import { Stack, Table, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ReembedError } from '../../contract/errors.ts';
import type { QuerySetInfo, StoredQuery } from '../../contract/query-sets.ts';
import { useAccess } from '../api/access.ts';
import { reembed } from '../api/client.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card, PageHead } from '../ui/card.tsx';
import { type Fact, FactList } from '../ui/fact-list.tsx';
import { bytes, number } from '../ui/format.ts';
import { IndexLink } from '../ui/links.tsx';
import { Moment } from '../ui/moment.tsx';
import { ObjectId } from '../ui/object-id.tsx';
import { tagsOf } from '../ui/payload.tsx';
import { ShowMore } from '../ui/show-more.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { DeleteQuerySet } from './delete-query-set.tsx';
import { EvaluateDialog } from './evaluate-dialog.tsx';
import { originText } from './origin.ts';

const route = getRouteApi('/query-sets/$querySet');

/** The page of one query set: what it was made from, and its queries. */
export function QuerySetPage() {
  const { querySet } = route.useParams();
  return <OneSet key={querySet} name={querySet} />;
}

function OneSet({ name }: { name: string }) {
  const [comparing, compare] = useDisclosure();
  const [removing, remove] = useDisclosure();
  const { data, error, refetch } = useQuery({
    queryKey: ['query-sets', name],
    queryFn: () => reembed.querySets.get(name),
    refetchInterval: 5_000,
    retry: false,
  });
  if (error instanceof ReembedError && error.type === 'QuerySetNotFound')
    return <Empty title="There is no such query set" />;
  if (!data) return error ? <Problem error={error} retry={() => void refetch()} /> : <Loading />;
  return (
    <>
      <PageHead
        title={`Query set ${data.name}`}
        actions={
          <>
            <ActionButton needs="admin" color="red" variant="outline" onClick={remove.open}>
              Delete…
            </ActionButton>
            <ActionButton variant="filled" onClick={compare.open}>
              Compare two indexes…
            </ActionButton>
          </>
        }
      />
      <Stack gap="md">
        <Facts set={data} />
        <Queries set={data} />
      </Stack>
      {comparing && <EvaluateDialog sets={[data]} onClose={compare.close} />}
      {removing && <DeleteQuerySet name={data.name} queries={data.queries} onClose={remove.close} />}
    </>
  );
}

function Facts({ set }: { set: QuerySetInfo }) {
  const { queries, judged, judgments, knownItem } = set;
  const facts: Fact[] = [
    ['Queries', number(queries)],
    ['Judged', number(judged)],
    ['Judgments', number(judgments)],
    ['Made from', knownItem ? <IndexLink key="i" name={knownItem.index} /> : originText(set)],
    ['Size', bytes(set.bytes)],
    ['Created', <Moment key="c" at={set.createTime} />],
    ['Changed', <Moment key="u" at={set.updateTime} />],
  ];
  return (
    <Card title="Details">
      <FactList facts={facts} />
      {judged === 0 && (
        <Text fz="sm" c="dimmed" mt="md">
          No query is judged: a comparison shows how the results of two indexes differ, not which are better.
        </Text>
      )}
    </Card>
  );
}

function Queries({ set }: { set: QuerySetInfo }) {
  const reason = useAccess().reasonNot('operate');
  return (
    <Card flush title="Queries">
      {reason === null ? <QueryList set={set} /> : <Empty title="Not shown to this token">{reason}</Empty>}
    </Card>
  );
}

function QueryList({ set: { name, updateTime } }: { set: QuerySetInfo }) {
  const query = useInfiniteQuery({
    queryKey: ['queries', name, updateTime],
    queryFn: ({ pageParam }) => reembed.querySets.page(name, { cursor: pageParam, limit: 25 }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ cursor }) => cursor,
    retry: false,
  });
  if (query.error) return <Problem error={query.error} title="The queries cannot be listed" />;
  if (query.isPending) return <Loading />;
  return (
    <>
      <Table layout="fixed" aria-label="Queries">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Query</Table.Th>
            <Table.Th w="36%">Should find</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {query.data.pages
            .flatMap(({ queries }) => queries)
            .map((one) => (
              <QueryRow key={one.id} query={one} />
            ))}
        </Table.Tbody>
      </Table>
      <ShowMore query={query} />
    </>
  );
}

/** Objects of a query that are shown; some sets judge hundreds. */
const SHOWN = 5;

function QueryRow({ query: { id, text, relevant, metadata } }: { query: StoredQuery }) {
  const tags = tagsOf(metadata as never);
  const found = relevant.filter(({ grade }) => grade > 0);
  return (
    <Table.Tr>
      <Table.Td>
        <Text fz="sm" className="excerpt" dir="auto" title={text}>
          {text}
        </Text>
        <Text fz="xs" c="dimmed" component="div" className="excerpt">
          <bdi>{id}</bdi>
          {tags.length > 0 && ` · ${tags.join(' · ')}`}
        </Text>
      </Table.Td>
      <Table.Td>
        {found.slice(0, SHOWN).map((one) => (
          <div key={one.id}>
            <ObjectId id={one.id} />
          </div>
        ))}
        {found.length > SHOWN && (
          <Text fz="xs" c="dimmed">
            and {number(found.length - SHOWN)} more
          </Text>
        )}
        {found.length === 0 && (
          <Text fz="xs" c="dimmed">
            {relevant.length === 0 ? 'not judged' : 'nothing'}
          </Text>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
