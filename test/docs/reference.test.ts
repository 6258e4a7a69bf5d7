import { describe, expect, test } from 'vitest';
import { cliPage } from '../../scripts/docs/cli.ts';
import { httpPages } from '../../scripts/docs/http.ts';
import { openApiDocument } from '../../src/api/document.ts';
import { silentDatabase, testApi } from '../api/support.ts';
import { cli, commands } from '../cli/support.ts';

/** Only the words: without line breaks and markup. */
const words = (text: string) =>
  text.replace(/[\\`|]|&lt;/g, (mark) => (mark === '&lt;' ? '<' : '')).replace(/\s+/g, ' ');

describe('the reference of the commands', () => {
  const page = cliPage();
  test.each(commands())('describes `%s` as its --help does', async (path) => {
    const { out } = await cli([...path.split(' '), '--help']);
    const [, section = ''] = page.split(`\n## reembed ${path}\n`);
    const described = words(section.split('\n## ')[0] as string);
    // Terms are indented by two spaces, their texts are in a second column; the usage is the first line.
    const lines = out.split('\n');
    const terms = lines.filter((line) => /^ {2}-/.test(line)).map((line) => line.trim().split(/ {2,}/)[0] as string);
    const examples = lines.filter((line) => line.startsWith('  $ ')).map((line) => line.slice(4));
    const usage = (lines[0] as string).replace('Usage: ', '');
    expect(terms.length).toBeGreaterThan(0);
    for (const text of [usage, ...terms, ...examples]) expect(described, text).toContain(words(text));
    const description = out.slice(out.indexOf('\n\n') + 2).split(/\n\n(?=[A-Z]\w+:)/)[0] as string;
    expect(described).toContain(words(description).trim());
  });
});

test('the reference of the HTTP API has every call of the OpenAPI document', () => {
  const document = openApiDocument(testApi(silentDatabase()));
  const text = httpPages()
    .map((page) => page.text)
    .join('')
    .replaceAll('&#123;', '{')
    .replaceAll('&#125;', '}');
  const calls = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.keys(item as object).map((method) => `## ${method.toUpperCase()} ${path}\n`),
  );
  expect(calls.length).toBeGreaterThan(100);
  for (const call of calls) expect(text).toContain(call);
});
