import { readFileSync } from 'node:fs';
import { LANGUAGES } from './languages.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

/** Texts in 14 languages, Markdown, HTML, code and data, by what they are; of long files, their beginnings. */
export function mixedCorpus(characters = 10_000): Record<string, string> {
  const repeated = Object.entries(LANGUAGES).map(([name, text]) => [name, `${text}\n\n`.repeat(6)]);
  const bytes = Buffer.from(Array.from({ length: 3_000 }, (_, at) => (at * 7_919 * (at + 3)) % 251));
  return {
    ...Object.fromEntries(repeated),
    markdown: read('docs/protocol.md').slice(0, characters),
    tables: read('docs/benchmarks.md').slice(0, characters),
    html: read('src/dashboard/index.html'),
    typescript: read('src/pipeline/embed.ts'),
    python: read('scripts/fuzz/hooks.py'),
    json: read('package-lock.json').slice(0, characters),
    licences: read('THIRD_PARTY_LICENSES.md').slice(0, characters),
    base64: bytes.toString('base64'),
    hex: bytes.toString('hex'),
    numbers: Array.from({ length: 500 }, (_, at) => String(at * 7_919.123)).join(' '),
    emoji: '😀 👩‍👩‍👧 🇩🇪 ✨ 🚀🔥 '.repeat(100),
  };
}

/** One document of this many characters of everything. */
export function longDocument(characters: number): string {
  const whole = Object.values(mixedCorpus()).join('\n\n');
  return whole.repeat(Math.ceil(characters / whole.length)).slice(0, characters);
}
