import { Badge, Box, Group, Stack, Table, Text } from '@mantine/core';
import type { IndexInfo } from '../../contract/indexes.ts';
import { bytes, count, number } from '../ui/format.ts';
import { IndexLink, PageLink } from '../ui/links.tsx';

/** One row per index: its aliases, content and lock. On narrow screens these are shown below its name. */
export function IndexTable({ indexes }: { indexes: readonly IndexInfo[] }) {
  return (
    <Table highlightOnHover layout="fixed" aria-label="Indexes">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Index</Table.Th>
          <Table.Th w={140}>Aliases</Table.Th>
          <Table.Th w={210} visibleFrom="lg">
            Model
          </Table.Th>
          <Table.Th w={110} ta="right" visibleFrom="sm">
            Objects
          </Table.Th>
          <Table.Th w={100} ta="right" visibleFrom="xl">
            Parts
          </Table.Th>
          <Table.Th w={100} ta="right" visibleFrom="sm">
            Size
          </Table.Th>
          <Table.Th w={170} visibleFrom="lg">
            Lock
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {indexes.map((index) => (
          <IndexRow key={index.name} index={index} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function IndexRow({ index }: { index: IndexInfo }) {
  const { name, state, aliases, model, objects, parts, failed, estimated, bytes: size, lock } = index;
  return (
    <Table.Tr data-index={name}>
      <Table.Td>
        <IndexLink name={name} />
        <Text fz="xs" c="dimmed">
          {state === 'deleting' ? 'being deleted' : searchedBy(index)}
        </Text>
        <Stack gap={0} hiddenFrom="lg" fz="xs">
          <Box component="span" hiddenFrom="sm">
            {count(objects, estimated)} {objects === 1 ? 'object' : 'objects'} · {bytes(size)}
          </Box>
          <span className="wrap">
            {model.provider} {model.name}
          </span>
          {lock && <LockText index={index} />}
        </Stack>
      </Table.Td>
      <Table.Td>
        <Serves aliases={aliases} />
      </Table.Td>
      <Table.Td visibleFrom="lg">
        <Text fz="sm">{model.provider}</Text>
        <Text fz="xs" c="dimmed" className="wrap">
          {model.name} · {number(model.dimensions)} dimensions
        </Text>
      </Table.Td>
      <Table.Td ta="right" visibleFrom="sm">
        {count(objects, estimated)}
        {failed > 0 && (
          <Text fz="xs" c="var(--mantine-color-error)">
            {count(failed, estimated)} failed
          </Text>
        )}
      </Table.Td>
      <Table.Td ta="right" visibleFrom="xl">
        {count(parts, estimated)}
      </Table.Td>
      <Table.Td ta="right" visibleFrom="sm" className="nowrap">
        {bytes(size)}
      </Table.Td>
      <Table.Td visibleFrom="lg">
        {lock ? (
          <LockText index={index} />
        ) : (
          <Text fz="xs" c="dimmed">
            free
          </Text>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

export function Serves({ aliases }: { aliases: readonly string[] }) {
  if (aliases.length === 0) {
    return (
      <Text fz="xs" c="dimmed">
        no alias
      </Text>
    );
  }
  return (
    <Group gap={4}>
      {aliases.map((alias) => (
        <Badge
          key={alias}
          title={alias}
          variant="outline"
          color="teal.9"
          tt="none"
          radius="sm"
          className="id"
          c="inherit"
        >
          {alias}
        </Badge>
      ))}
    </Group>
  );
}

/** Parts that a search compares one by one in a few milliseconds: below, nothing has to be said about it. */
const FEW_PARTS = 10_000;

function searchedBy({ vectorIndex, vectorIndexReady, parts }: IndexInfo): string {
  if (vectorIndex.kind === 'none') return 'searched by scanning';
  if (vectorIndexReady) return 'searched by HNSW';
  return parts > FEW_PARTS ? 'searched by scanning until HNSW is built' : '';
}

/** The purpose of the lock, with a link to the task that holds it. */
export function LockText({ index: { name, lock } }: { index: IndexInfo }) {
  if (!lock) return null;
  const isSource = lock.source === name;
  const what = lock.mirror
    ? 'kept current'
    : isSource
      ? `being rebuilt into ${lock.dest}`
      : `being built from ${lock.source}`;
  return (
    <Text fz="xs" className="wrap">
      <PageLink to="/tasks/$taskId" params={{ taskId: lock.taskId }} fz="inherit">
        {what}
      </PageLink>
      {lock.draining ? ', writers are held back' : ''}
    </Text>
  );
}
