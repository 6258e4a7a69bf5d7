import { queryOptions, useQuery } from '@tanstack/react-query';
import type { Me } from '../../client/http/client.ts';
import { mayDo, type Role } from '../../contract/roles.ts';
import { reembed } from './client.ts';

const meQuery = queryOptions({ queryKey: ['me'], queryFn: () => reembed.me(), staleTime: 60_000 });

export interface Access extends Me {
  /** Why something that needs a role may not be done; null when it may. */
  reasonNot(needed: Role): string | null;
}

/** Until the API has told, nothing is held back: it refuses what may not be. */
const NOT_KNOWN: Me = { name: null, role: 'admin' };

/** What the token of the session may do. */
export function useAccess(): Access {
  const { data = NOT_KNOWN } = useQuery(meQuery);
  return {
    ...data,
    reasonNot: (needed) =>
      mayDo(data.role, needed) ? null : `This needs the role “${needed}”; the token has “${data.role}”.`,
  };
}
