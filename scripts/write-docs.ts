/** Writes the tables of docs/tasks.md and docs/security.md that are made from the code: `npx tsx scripts/write-docs.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { API_ACCESS } from '../src/api/access.ts';
import { ROLE_MEANINGS } from '../src/contract/roles.ts';
import { STATUSES } from '../src/contract/status.ts';
import { EFFECTS, STEERING, STEERING_CALLS } from '../src/contract/steering.ts';

export const PAGES = ['tasks', 'security'].map((name) => new URL(`../docs/${name}.md`, import.meta.url));

const code = (text: string) => `\`${text}\``;
/** `stopsLater` as words: stops later. */
const words = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The parts of the pages that are made, by the name that marks their place. */
const PARTS: Record<string, string> = {
  statuses: table(
    ['status', 'meaning', 'may be followed by'],
    Object.entries(STATUSES).map(([status, { means, next }]) => [code(status), means, next.map(code).join(', ')]),
  ),
  steering: table(
    ['the task is', ...STEERING_CALLS],
    Object.entries(STEERING).map(([state, row]) => [state, ...STEERING_CALLS.map((call) => words(row[call]))]),
  ),
  effects: table(
    ['effect', 'what happens and what is answered'],
    Object.entries(EFFECTS).map(([effect, { means }]) => [words(effect), means]),
  ),
  roles: table(
    ['role', 'its holder'],
    Object.entries(ROLE_MEANINGS).map(([role, meaning]) => [code(role), meaning]),
  ),
  access: table(
    ['route', 'least role'],
    Object.entries(API_ACCESS)
      .filter(([route, access]) => API_ACCESS[routeOfAllTypes(route)] !== access || route === routeOfAllTypes(route))
      .map(([route, access]) => [
        code(route.replaceAll(/:(\w+)/g, '{$1}')),
        access === 'open' ? 'no token' : code(access),
      ]),
  ),
};

/** Tasks of one type have the routes of all tasks: only where they differ is there something to tell. */
function routeOfAllTypes(route: string): string {
  return route.replace(/ \/v1\/tasks\/[a-z-]+\/(?=\w)/, ' /v1/tasks/');
}

/** The page with its made parts as they must be. */
export function withTables(page: string): string {
  return Object.entries(PARTS).reduce(
    (text, [name, part]) =>
      text.replace(
        new RegExp(`(<!-- ${name}: made by scripts/write-docs.ts -->\\n)[\\s\\S]*?(<!-- end -->)`),
        (_all, start: string, end: string) => `${start}\n${part}\n\n${end}`,
      ),
    page,
  );
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  for (const page of PAGES) writeFileSync(page, withTables(readFileSync(page, 'utf8')));
}
