import { Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ReembedError } from '../../client/client.ts';
import type { IndexInfo } from '../../contract/indexes.ts';
import type { StoredObject } from '../../contract/objects.ts';
import { useAccess } from '../api/access.ts';
import { reembed } from '../api/client.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card, PageHead } from '../ui/card.tsx';
import { Copy } from '../ui/copy.tsx';
import { type Fact, FactList } from '../ui/fact-list.tsx';
import { number } from '../ui/format.ts';
import { IndexLink } from '../ui/links.tsx';
import { ObjectId, ObjectLink } from '../ui/object-id.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { Viewer } from '../ui/viewer.tsx';
import { DeleteObject } from './delete-object.tsx';
import { EditObject } from './edit-object.tsx';
import { History } from './history.tsx';
import { objectQuery } from './queries.ts';
import { Similar } from './similar.tsx';

const route = getRouteApi('/indexes/$index/object');

/** One object of an index: all of its content, its history, and what is similar to it. */
export function ObjectPage() {
  const { index } = route.useParams();
  const { id } = route.useSearch();
  const reason = useAccess().reasonNot('operate');
  if (id === undefined) return <Empty title="There is no such object">The address has no id.</Empty>;
  if (reason !== null) return <Empty title="Not shown to this token">{reason}</Empty>;
  return <OneObject key={`${index} ${id}`} index={index} id={id} />;
}

function OneObject({ index, id }: { index: string; id: string }) {
  const object = useQuery(objectQuery(index, id));
  const info = useQuery({ queryKey: ['indexes', index], queryFn: () => reembed.indexes.get(index), retry: false });
  const isGone = object.error instanceof ReembedError && object.error.type === 'ObjectNotFound';
  const found = isGone ? undefined : object.data;
  return (
    <>
      <PageHead
        title={`Object of ${index}`}
        actions={found && info.data && <Actions index={info.data} object={found} />}
      />
      <Stack gap="md">
        {object.isPending && <Loading />}
        {object.error && !isGone && (
          <Problem error={object.error} retry={() => void object.refetch()} title="The object cannot be read" />
        )}
        {isGone && (
          <Card>
            <Text fz="sm" component="div">
              <ObjectId id={id} />
              <IndexLink name={index} /> has no object with this id: it was never written, or it is deleted.
            </Text>
          </Card>
        )}
        {found && <Content index={index} object={found} />}
        <History index={index} id={id} />
      </Stack>
    </>
  );
}

function Actions({ index, object }: { index: IndexInfo; object: StoredObject }) {
  const [editing, edit] = useDisclosure();
  const [deleting, remove] = useDisclosure();
  return (
    <>
      <ActionButton onClick={edit.open}>Edit…</ActionButton>
      <ActionButton color="red" variant="outline" onClick={remove.open}>
        Delete…
      </ActionButton>
      {editing && <EditObject index={index} object={object} onClose={edit.close} />}
      {deleting && <DeleteObject index={index} object={object} onClose={remove.close} />}
    </>
  );
}

function Content({ index, object }: { index: string; object: StoredObject }) {
  const { id, version, uri, originalId, failed, payload, metadata } = object;
  const facts: Fact[] = [
    ['Index', <IndexLink key="i" name={index} />],
    ['Version', number(version)],
    ['Searches', failed ? 'do not find it: it is not embedded' : 'find it'],
  ];
  if (originalId !== null) facts.push(['Derived from', <ObjectLink key="o" index={index} id={originalId} />]);
  if (uri !== null) facts.push(['Loaded from', <bdi key="u">{uri}</bdi>]);
  return (
    <>
      <Card title="Details">
        <div className="with-copy">
          <ObjectId id={id} />
          <Copy text={id} what="the id" />
        </div>
        <FactList facts={facts} />
      </Card>
      <Card title="Payload">
        {payload === null ? (
          <Text fz="sm" c="dimmed">
            None.
          </Text>
        ) : (
          <Viewer value={payload} what="the payload" />
        )}
      </Card>
      {Object.keys(metadata).length > 0 && (
        <Card title="Metadata">
          <Viewer value={metadata} what="the metadata" />
        </Card>
      )}
      <Similar index={index} id={id} />
    </>
  );
}
