import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskFilter } from '../../src/client/tasks.ts';
import { type Api, type CallLog, insist } from '../torture/accept.ts';

const LIMIT_MS = 60_000;
const PAGE = 50;

/** A list, and the ids that it must have in the end. */
export interface WantedList {
  name: string;
  filter: TaskFilter;
  ids: readonly string[];
}

/**
 * Reads lists by search attributes until they are as they must be: visibility is behind for a while. Returns what is
 * still missing or too much after a minute.
 */
export async function problemsOfLists(api: Api, log: CallLog, wanted: readonly WantedList[]): Promise<string[]> {
  const problems: string[] = [];
  for (const list of wanted) {
    let problem: string | null = null;
    for (const endMs = Date.now() + LIMIT_MS; ; await sleep(500)) {
      problem = await differenceOf(api, log, list);
      if (problem === null || Date.now() > endMs) break;
    }
    if (problem !== null) problems.push(problem);
  }
  return problems;
}

async function differenceOf(api: Api, log: CallLog, { name, filter, ids }: WantedList): Promise<string | null> {
  const found: string[] = [];
  for (let cursor: string | null = null; ; ) {
    const page = await insist(log, `list ${name}`, () => api.tasks.page({ ...filter, cursor, limit: PAGE }));
    found.push(...page.tasks.map(({ id }) => id));
    cursor = page.cursor;
    if (cursor === null) break;
  }
  const { total } = await insist(log, `counts ${name}`, () => api.tasks.counts(filter));
  const missing = ids.filter((id) => !found.includes(id));
  const unknown = found.filter((id) => !ids.includes(id));
  const twice = found.length - new Set(found).size;
  if (missing.length + unknown.length + twice === 0 && total === ids.length) return null;
  const examples = [...missing.slice(0, 3), ...unknown.slice(0, 3)].join(', ');
  return `${name}: ${missing.length} missing, ${unknown.length} too many, ${twice} twice, ${total} counted of ${ids.length}: ${examples}`;
}
