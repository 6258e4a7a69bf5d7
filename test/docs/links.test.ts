import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { PAGES, ROOT, textOf } from './blocks.ts';

const there = (...parts: string[]) => existsSync(path.join(ROOT, ...parts));
const decisions = readdirSync(path.join(ROOT, 'docs/decisions')).map((name) => `docs/decisions/${name}`);
const examples = readdirSync(path.join(ROOT, 'examples')).map((name) => `examples/${name}/README.md`);
/** Pages for people who change the code. They name its files. */
const KIT = ['CONTRIBUTING.md', 'docs/architecture.md', ...decisions];

/** A path in code style, such as `store/protocol/gate.ts`, from the root, from src, or as a name alone. */
const PATH = /`((?:[\w.-]+\/)*[\w.-]+\.(?:tsx?|json|md))`/g;

const pages = [...new Set([...PAGES, ...KIT, ...examples, 'model/README.md', 'SECURITY.md', 'CODE_OF_CONDUCT.md'])];

test.each(pages)('links of %s lead to files and headings', (page) => {
  const links = [...textOf(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(({ 1: link = '' }) => link);
  const leads = (link: string) => {
    const [file = '', heading] = link.split('#');
    const target = file === '' ? page : path.join(path.dirname(page), file);
    return there(target) && (heading === undefined || headingsOf(target).includes(heading));
  };
  expect(links.filter((link) => !leads(link))).toEqual([]);
});

/** The anchors of a page's headings, as GitHub makes them. */
function headingsOf(page: string): string[] {
  return [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(({ 1: heading = '' }) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test.each(KIT)('%s names files that exist', (page) => {
  const all = readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  const named = [...textOf(page).matchAll(PATH)].map(({ 1: name = '' }) => name);
  const exists = (name: string) =>
    there(name) || there('src', name) || (!name.includes('/') && all.some((file) => path.basename(file) === name));
  expect(named.filter((name) => !exists(name))).toEqual([]);
});

test('the table of decisions has all of them', () => {
  const page = textOf('docs/architecture.md');
  expect(decisions.filter((decision) => !page.includes(`(${decision.replace('docs/', '')})`))).toEqual([]);
});
