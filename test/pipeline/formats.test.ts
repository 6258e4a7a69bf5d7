import { expect, test } from 'vitest';
import type { TextFormat } from '../../src/contract/splitter.ts';
import { cutText } from '../../src/pipeline/cut.ts';

async function partsOf(text: string, format: TextFormat, chunkTokens: number) {
  const cutting = { chunkTokens, overlapTokens: 0, format, tokenizer: { name: 'estimate', dir: null } };
  return (await cutText(text, cutting, 1_000)).map(({ start, end }) => text.slice(start, end));
}

const SENTENCE = 'Every part of this text is read by the model that embeds it. ';

test('Markdown is cut before headings, and a heading stays with what follows it', async () => {
  const text = ['One', 'Two', 'Three'].map((title) => `## ${title}\n\n${SENTENCE.repeat(4)}`).join('\n\n');
  const parts = await partsOf(text, 'markdown', 120);
  expect(parts.map((part) => part.split('\n')[0])).toEqual(['## One', '## Two', '## Three']);
});

test.each([
  ['a code block', `\`\`\`js\n${'const one = two;\n\n'.repeat(6)}\`\`\``],
  ['a list', '- an item of the list\n'.repeat(8).trim()],
  ['a table', '| one | two |\n'.repeat(9).trim()],
])('%s of Markdown that fits into a part is not cut', async (_what, block) => {
  for (const before of [2, 3, 4, 5, 6]) {
    const text = `${SENTENCE.repeat(before)}\n\n${block}\n\n${SENTENCE.repeat(5)}`;
    const parts = await partsOf(text, 'markdown', 130);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.filter((part) => part.includes(block))).toHaveLength(1);
  }
});

test('a code block that is too long for a part is cut at its lines', async () => {
  const text = `\`\`\`\n${'a line of code();\n'.repeat(60)}\`\`\``;
  const parts = await partsOf(text, 'markdown', 100);
  expect(parts.length).toBeGreaterThan(3);
  for (const part of parts.slice(1)) expect(part).toMatch(/^(a line of code|```)/);
});

test('HTML is cut at block elements, and never within a tag', async () => {
  const text = `<body>${`<p class="a b">${SENTENCE.repeat(2)}</p><ul><li>one</li><li>two</li></ul>`.repeat(6)}</body>`;
  const parts = await partsOf(text, 'html', 120);
  expect(parts.length).toBeGreaterThan(4);
  for (const part of parts) {
    expect(part).toMatch(/^<.*>$/s);
    expect(part.split('<ul>').length).toBe(part.split('</ul>').length);
  }
});

test('code is cut before definitions, which stay whole if they fit', async () => {
  const one = (name: string) =>
    `/** Adds. */\nfunction ${name}(left, right) {\n  const sum = left + right;\n\n  return sum;\n}\n`;
  const text = ['a', 'b', 'c', 'd', 'e', 'f'].map(one).join('\n');
  const parts = await partsOf(text, 'code', 110);
  expect(parts.length).toBeGreaterThan(1);
  for (const part of parts) expect(part).toMatch(/^\/\*\* Adds.*\}$/s);
});

test.each([
  ['Chinese', '人人生而自由，在尊严和权利上一律平等。', '。'],
  ['Japanese', 'すべての人間は、生まれながらにして自由である。', '。'],
  ['Hindi', 'सभी मनुष्यों को गौरव और अधिकार प्राप्त है। ', '।'],
  ['English', SENTENCE, '.'],
])('text in %s is cut at the ends of sentences', async (_language, sentence, end) => {
  const parts = await partsOf(sentence.repeat(30), 'text', 300);
  expect(parts.length).toBeGreaterThan(1);
  for (const part of parts) expect(part.endsWith(end)).toBe(true);
});

test('text is cut between paragraphs rather than between sentences', async () => {
  const parts = await partsOf(`${SENTENCE.repeat(4).trim()}\n\n`.repeat(5), 'text', 160);
  for (const part of parts) expect(part.startsWith('Every')).toBe(true);
  expect(new Set(parts.slice(0, -1).map(({ length }) => length)).size).toBe(1);
});
