/** Roles of token holders, from fewest rights to most. */
export const ROLES = ['view', 'operate', 'queries', 'approve', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** The rights of each role, for people: in addition to those of the roles that it includes. */
export const ROLE_MEANINGS: Record<Role, string> = {
  view: 'lists indexes, tasks, jobs and schedules and sees their status, but not the content of objects',
  operate:
    'also searches, reads and writes objects and query sets, reindexes, evaluates, runs jobs, and controls tasks and schedules',
  queries: 'has the rights of `operate`, and reads the sampled searches of users and makes query sets from them',
  approve: 'has the rights of `operate`, and approves and rejects the switch of a reindex, and rolls it back',
  admin:
    'has the rights of all others, and creates and deletes indexes, aliases, sources and schedules, deletes query sets, and has searches sampled',
};

/** The roles whose rights a role has. Neither of `queries` and `approve` has those of the other. */
const INCLUDED: Record<Role, readonly Role[]> = {
  view: [],
  operate: ['view'],
  queries: ['view', 'operate'],
  approve: ['view', 'operate'],
  admin: ['view', 'operate', 'queries', 'approve'],
};

export function isRole(word: string): word is Role {
  return (ROLES as readonly string[]).includes(word);
}

/** Whether a role includes the rights of the role `least`. */
export function mayDo(role: Role, least: Role): boolean {
  return role === least || INCLUDED[role].includes(least);
}
