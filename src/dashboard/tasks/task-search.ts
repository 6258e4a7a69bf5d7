import { getRouteApi } from '@tanstack/react-router';
import { nameSchema } from '../../contract/indexes.ts';
import { TASK_TYPES } from '../../contract/task-types.ts';
import { oneOf } from '../search-params.ts';
import { SHOWN_STATUSES } from './status-tabs.tsx';
import { WITHIN } from './within.ts';

const route = getRouteApi('/tasks');

/** Returns the filters in the address; invalid ones are ignored, so that a bad link still works. */
export function useTaskSearch() {
  const { status, type, index, within, page } = route.useSearch();
  return {
    status: oneOf(SHOWN_STATUSES, status),
    type: oneOf(TASK_TYPES, type),
    index: nameSchema.safeParse(index).data,
    within: oneOf(WITHIN, within),
    page: /^[1-9]\d{0,4}$/.test(page ?? '') ? Number(page) : 1,
  };
}
