import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PAGES, withTables } from '../../scripts/write-docs.ts';

test.each(PAGES.map((page) => [page.pathname.split('/').at(-1), page]))(
  'the tables of docs/%s match the code: else run scripts/write-docs.ts',
  (_name, page) => {
    const text = readFileSync(page, 'utf8');
    expect(text).toMatch(/<!-- [\w ]+: made by scripts\/write-docs.ts -->\n\n\|/);
    expect(withTables(text)).toBe(text);
  },
);
