/** Writes the tables of docs/tasks.md that are made from the code: `npx tsx scripts/write-docs.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { STATUSES } from '../src/contract/status.ts';
import { EFFECTS, STEERING, STEERING_CALLS } from '../src/contract/steering.ts';

export const TASKS_PAGE = new URL('../docs/tasks.md', import.meta.url);

const code = (text: string) => `\`${text}\``;
/** `stopsLater` as words: stops later. */
const words = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The parts of the page that are made, by the name that marks their place. */
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
};

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
  writeFileSync(TASKS_PAGE, withTables(readFileSync(TASKS_PAGE, 'utf8')));
}
