import { queryOptions, useQuery } from '@tanstack/react-query';
import type { Me } from '../../client/client.ts';
import { mayDo, type Role } from '../../contract/roles.ts';
import { reembed } from './client.ts';
import { useSession } from './session.ts';

const meQuery = queryOptions({ queryKey: ['me'], queryFn: () => reembed.me(), staleTime: 60_000 });

export interface Access extends Me {
  /** Whether the API has said what the token may do. */
  isKnown: boolean;
  /** Returns why an action that needs a role is not allowed; null if it is. */
  reasonNot(needed: Role): string | null;
}

/** Without a token everything is allowed. */
const NO_TOKEN: Me = { name: null, role: 'admin' };
/** Until the API has said what a token may do, it may do nothing. */
const NOT_KNOWN: Me = { name: null, role: 'view' };

/** Returns what the session's token may do. */
export function useAccess(): Access {
  const { token } = useSession();
  const { data } = useQuery(meQuery);
  const me = data ?? (token === null ? NO_TOKEN : NOT_KNOWN);
  return {
    ...me,
    isKnown: data !== undefined,
    reasonNot: (needed) => {
      if (mayDo(me.role, needed)) return null;
      if (!data) return 'The page does not know yet what the token may do.';
      return `This needs the role “${needed}”; the token has “${me.role}”.`;
    },
  };
}
