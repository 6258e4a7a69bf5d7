/** What the holder of a token may do, from the least to the most: each role may do all that those before it may. */
export const ROLES = ['view', 'operate', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What each role is for, for people. */
export const ROLE_MEANINGS: Record<Role, string> = {
  view: 'sees which indexes, tasks, jobs and schedules there are and how they fare; not what objects hold',
  operate: 'also searches and reads objects, writes, reindexes, runs jobs, and steers tasks and schedules',
  admin: 'also makes and removes indexes, aliases and schedules',
};

export function isRole(word: string): word is Role {
  return (ROLES as readonly string[]).includes(word);
}

/** Whether a role may do what needs at least another one. */
export function mayDo(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}
