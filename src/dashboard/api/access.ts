import { queryOptions, useQuery } from '@tanstack/react-query';
import type { Me } from '../../client/client.ts';
import { mayDo, type Role } from '../../contract/roles.ts';
import { reembed } from './client.ts';

const meQuery = queryOptions({ queryKey: ['me'], queryFn: () => reembed.me(), staleTime: 60_000 });

export interface Access extends Me {
  /** Returns why an action that needs a role is not allowed; null if it is. */
  reasonNot(needed: Role): string | null;
}

/** Until the role is known, nothing is disabled: the API rejects what is not allowed. */
const NOT_KNOWN: Me = { name: null, role: 'admin' };

/** Returns what the session's token may do. */
export function useAccess(): Access {
  const { data = NOT_KNOWN } = useQuery(meQuery);
  return {
    ...data,
    reasonNot: (needed) =>
      mayDo(data.role, needed) ? null : `This needs the role “${needed}”; the token has “${data.role}”.`,
  };
}
