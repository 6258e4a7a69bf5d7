import { getRouteApi } from '@tanstack/react-router';
import { nameSchema } from '../../contract/indexes.ts';
import { TASK_STATUSES } from '../../contract/status.ts';
import { TASK_TYPES } from '../../contract/task-types.ts';
import { oneOf } from '../search-params.ts';
import { WITHIN } from './within.ts';

const route = getRouteApi('/tasks');

/** Returns the filters in the address; invalid ones are ignored, so that a bad link still works. */
export function useTaskSearch() {
  const { status, type, index, within } = route.useSearch();
  return {
    status: oneOf(TASK_STATUSES, status),
    type: oneOf(TASK_TYPES, type),
    index: nameSchema.safeParse(index).data,
    within: oneOf(WITHIN, within),
  };
}
