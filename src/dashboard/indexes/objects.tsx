import { Table, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useAccess } from '../api/access.ts';
import { reembed } from '../api/client.ts';
import { FindObject } from '../objects/find-object.tsx';
import { Card } from '../ui/card.tsx';
import { number } from '../ui/format.ts';
import { ObjectLink } from '../ui/object-id.tsx';
import { Payload } from '../ui/payload.tsx';
import { ShowMore } from '../ui/show-more.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';

/** The objects of an index, in order of their ids. */
export function Objects({ index }: { index: string }) {
  const reason = useAccess().reasonNot('operate');
  return (
    <Card flush title="Objects" actions={reason === null && <FindObject index={index} />}>
      {reason === null ? <ObjectList index={index} /> : <Empty title="Not shown to this token">{reason}</Empty>}
    </Card>
  );
}

function ObjectList({ index }: { index: string }) {
  const query = useInfiniteQuery({
    queryKey: ['objects', index],
    queryFn: ({ pageParam }) => reembed.objects.page(index, { cursor: pageParam, limit: 25 }),
    initialPageParam: null as string | null,
    getNextPageParam: ({ cursor }) => cursor,
    retry: false,
  });
  const objects = query.data?.pages.flatMap((page) => page.objects) ?? [];
  return (
    <>
      {query.error && <Problem error={query.error} title="The objects cannot be listed" />}
      {query.isPending && <Loading />}
      {query.isSuccess && objects.length === 0 && (
        <Empty title="No objects yet">Add some, or send them to the API.</Empty>
      )}
      {objects.length > 0 && (
        <Table layout="fixed" aria-label="Objects">
          <Table.Thead>
            <Table.Tr>
              <Table.Th w="26%">Id</Table.Th>
              <Table.Th>Content</Table.Th>
              <Table.Th w={90} ta="right" visibleFrom="sm">
                Version
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {objects.map((object) => (
              <Table.Tr key={object.id}>
                <Table.Td>
                  <ObjectLink index={index} id={object.id} />
                  {object.failed && (
                    <Text fz="xs" c="var(--mantine-color-error)">
                      not embedded
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>
                  <Payload payload={object.payload} metadata={object.metadata} />
                </Table.Td>
                <Table.Td ta="right" visibleFrom="sm">
                  {number(object.version)}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      <ShowMore query={query} />
    </>
  );
}
