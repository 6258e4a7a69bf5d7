import { Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ReembedError } from '../../client/client.ts';
import type { IndexInfo } from '../../contract/indexes.ts';
import { partsText } from '../../contract/splitter.ts';
import { reembed } from '../api/client.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card, PageHead } from '../ui/card.tsx';
import { type Fact, FactList } from '../ui/fact-list.tsx';
import { bytes, number } from '../ui/format.ts';
import { LinkButton } from '../ui/links.tsx';
import { Moment } from '../ui/moment.tsx';
import { RecentTasks } from '../ui/recent-tasks.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { AddObjects } from './add-objects.tsx';
import { ChangeIndex } from './change-index.tsx';
import { DeleteIndex } from './delete-index.tsx';
import { ExportIndex } from './export-index.tsx';
import { LockText, Serves } from './index-table.tsx';
import { Objects } from './objects.tsx';
import { StartReindex } from './start-reindex.tsx';

const route = getRouteApi('/indexes/$index');

/** The page of one index, by name or alias. */
export function IndexPage() {
  const { index } = route.useParams();
  return <OneIndex key={index} name={index} />;
}

function OneIndex({ name }: { name: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ['indexes', name],
    queryFn: () => reembed.indexes.get(name),
    refetchInterval: 3_000,
    retry: false,
  });
  const [adding, addDialog] = useDisclosure();
  const [changing, changeDialog] = useDisclosure();
  const [exporting, exportDialog] = useDisclosure();
  const [deleting, deleteDialog] = useDisclosure();
  if (!data) {
    if (error instanceof ReembedError && error.type === 'IndexNotFound')
      return <Empty title="There is no such index" />;
    return error ? <Problem error={error} retry={() => void refetch()} /> : <Loading />;
  }
  const used = data.aliases[0] ?? data.name;
  return (
    <>
      <PageHead
        title={data.name}
        actions={
          <>
            <ActionButton onClick={addDialog.open}>Add objects…</ActionButton>
            <LinkButton variant="default" to="/search" search={{ left: used }}>
              Search
            </LinkButton>
            <ActionButton onClick={exportDialog.open}>Export…</ActionButton>
            <ActionButton
              needs="admin"
              unless={data.lock ? 'A reindex has locked it.' : null}
              onClick={changeDialog.open}
            >
              Change…
            </ActionButton>
            <ActionButton
              needs="admin"
              color="red"
              variant="outline"
              unless={data.lock ? 'A reindex has locked it.' : null}
              onClick={deleteDialog.open}
            >
              Delete…
            </ActionButton>
            <StartReindex source={used} waits={data.lock !== null} />
          </>
        }
      />
      <Stack gap="md">
        <Facts index={data} />
        <RecentTasks title="Last tasks" filter={{ index: data.name }} alsoOf={data.aliases} shown={5} />
        <Objects index={data.name} />
      </Stack>
      {adding && <AddObjects name={used} index={data} onClose={addDialog.close} />}
      {changing && <ChangeIndex index={data} onClose={changeDialog.close} />}
      {exporting && <ExportIndex index={data} onClose={exportDialog.close} />}
      {deleting && <DeleteIndex index={data} onClose={deleteDialog.close} />}
    </>
  );
}

function Facts({ index }: { index: IndexInfo }) {
  const { model, metric, splitter } = index;
  const facts: Fact[] = [
    ['Aliases', <Serves key="s" aliases={index.aliases} />],
    ['Model', `${model.provider}, ${model.name}`],
    ['Dimensions', `${number(model.dimensions)}, ${metric}`],
    ['Objects', number(index.objects)],
    ['Parts', number(index.parts)],
    ['Not embedded', number(index.failed)],
    ['Tombstones', number(index.tombstones)],
    ['Size', bytes(index.bytes)],
    ['Size of a part', partsText(splitter)],
    ['Versions', index.versioning],
    ['Created', <Moment key="c" at={index.createTime} />],
    ['Lock', index.lock ? <LockText key="l" index={index} /> : 'free'],
  ];
  return (
    <Card>
      <Text fz="sm" mb="md">
        {index.description}
      </Text>
      <FactList facts={facts} />
    </Card>
  );
}
