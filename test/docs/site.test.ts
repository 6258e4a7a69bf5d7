import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The built site; a dead link or a page that cannot be rendered or generated fails the build. */
let site: string;
beforeAll(async () => {
  site = mkdtempSync(path.join(tmpdir(), 'reembed-site-'));
  await promisify(execFile)('npm', ['run', '-s', 'build:docs', '--', '--outDir', site], { cwd: ROOT });
}, 600_000);
afterAll(() => rmSync(site, { recursive: true, force: true }));

const read = (file: string) => readFileSync(path.join(site, file), 'utf8');
const files = () => readdirSync(site, { recursive: true, encoding: 'utf8' });

test('every page of docs is one of the site, beside those of the commands, the HTTP API, the types and the examples', () => {
  const written = readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  const made = ['cli', 'examples', 'http/schemas', 'http/tasks-upsert', 'typescript/reembed/client'];
  const pages = [...written, ...made.map((name) => `reference/${name}.md`)];
  expect(files()).toEqual(expect.arrayContaining(pages.map((page) => page.replace(/md$/, 'html'))));
  // In the sidebar of each.
  for (const page of written) expect(read('concepts.html')).toContain(`href="/${page.replace(/(index)?\.md$/, '')}`);
});

test('links to examples, which are not pages, lead to the page of examples', () => {
  expect(read('jobs.html')).toContain('href="/reference/examples.html#send-mail"');
  expect(read('reference/examples.html')).toContain('id="send-mail"');
});

test('the site loads nothing from elsewhere', () => {
  for (const file of files().filter((name) => /\.(html|css)$/.test(name))) {
    expect(read(file), file).not.toMatch(
      /<(script|link|img|iframe)[^>]+(src|href)="(https?:)?\/\/|url\(["']?https?:|@import/,
    );
  }
});

test('the site has drawn diagrams and a search index', () => {
  expect(read('protocol.html').match(/<svg [^>]*--_line/g)).toHaveLength(2);
  expect(read('protocol.html')).not.toContain('sequenceDiagram');
  const [index = ''] = files().filter((name) => name.includes('localSearchIndexroot'));
  for (const word of ['tombstone', 'onduplicate', 'createtaskrouter']) {
    expect(read(index), word).toContain(`"${word}"`);
  }
});
