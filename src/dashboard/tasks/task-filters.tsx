import { Group, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { TASK_TYPES, type TaskType } from '../../contract/task-types.ts';
import { aliasesQuery, indexesQuery } from '../api/queries.ts';
import { useTaskSearch } from './task-search.ts';
import { WITHIN, WITHIN_LABELS, type Within } from './within.ts';

/** Filters of the list other than the status. They are in the URL, so that it can be bookmarked and shared. */
export function TaskFilters() {
  const { type = null, index = null, within = null } = useTaskSearch();
  const navigate = useNavigate({ from: '/tasks' });
  const indexes = useQuery(indexesQuery).data ?? [];
  const aliases = useQuery(aliasesQuery).data ?? [];
  const names = [...aliases.map(({ alias }) => alias), ...indexes.map(({ name }) => name)];
  const set = (change: { type?: TaskType; index?: string; within?: Within }) =>
    void navigate({ search: (before) => ({ ...before, ...change, page: undefined }) });
  return (
    <Group gap="xs" px="md" py="sm" wrap="nowrap">
      <Select
        aria-label="Type"
        placeholder="All types"
        style={{ flex: '0 1 150px' }}
        data={TASK_TYPES}
        value={type}
        onChange={(chosen) => set({ type: chosen ?? undefined })}
        clearable
      />
      <Select
        aria-label="Index or alias"
        placeholder="All indexes"
        style={{ flex: '0 1 190px' }}
        data={[...new Set(index === null ? names : [index, ...names])]}
        value={index}
        onChange={(chosen) => set({ index: chosen ?? undefined })}
        searchable
        clearable
      />
      <Select
        aria-label="Created"
        placeholder="Any time"
        style={{ flex: '0 1 150px' }}
        data={WITHIN.map((value) => ({ value, label: WITHIN_LABELS[value] }))}
        value={within}
        onChange={(chosen) => set({ within: chosen ?? undefined })}
        clearable
      />
    </Group>
  );
}
