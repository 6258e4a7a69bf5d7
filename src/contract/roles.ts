/** Roles of token holders, from fewest rights to most: each includes the rights of those before it. */
export const ROLES = ['view', 'operate', 'approve', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** The rights of each role, for people. */
export const ROLE_MEANINGS: Record<Role, string> = {
  view: 'lists indexes, tasks, jobs and schedules and sees their status, but not the content of objects',
  operate:
    'also searches, reads and writes objects and query sets, reindexes, evaluates, runs jobs, and controls tasks and schedules',
  approve: 'also approves and rejects the switch of a reindex, and rolls it back',
  admin: 'also creates and deletes indexes, aliases and schedules, and deletes query sets',
};

export function isRole(word: string): word is Role {
  return (ROLES as readonly string[]).includes(word);
}

/** Whether a role includes the rights of the role `least`. */
export function mayDo(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}
