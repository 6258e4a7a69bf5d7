import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { checkSync } from 'recheck';
import ts from 'typescript-6';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

interface Expression {
  file: string;
  line: number;
  source: string;
  flags: string;
}

/** Every regular expression that is written as a literal. */
function expressionsOf(file: string): Expression[] {
  const text = readFileSync(`${SRC}/${file}`, 'utf8');
  const kind = file.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const parsed = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, kind);
  const found: Expression[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      const line = parsed.getLineAndCharacterOfPosition(node.getStart()).line + 1;
      found.push({ file, line, source: node.text.slice(1, end), flags: node.text.slice(end + 1) });
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return found;
}

/** The time of a match grows faster than its input, by recheck's own search for an attack. */
function isSlow({ source, flags }: Pick<Expression, 'source' | 'flags'>): boolean {
  return checkSync(source, flags, { timeout: 20_000 }).status === 'vulnerable';
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
const expressions = files.flatMap(expressionsOf);

describe('the regular expressions of the sources', () => {
  it('are all found, also those with slashes and classes in them', () => {
    expect(expressions.length).toBeGreaterThan(100);
    expect(isSlow({ source: '^(a+)+$', flags: '' })).toBe(true);
    expect(isSlow({ source: '^a+$', flags: '' })).toBe(false);
  });

  it('match in linear time', () => {
    const slow = expressions.filter(isSlow);
    expect(slow.map(({ file, line, source }) => `${file}:${line} /${source}/`)).toEqual([]);
  }, 120_000);
});
