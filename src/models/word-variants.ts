/** English endings and their possible replacements, most likely first. */
const ENDINGS: readonly (readonly [ending: string, replacements: readonly string[]])[] = [
  ['ies', ['y', 'ie']],
  ['ied', ['y', 'ie']],
  ['ily', ['y']],
  ['iness', ['y']],
  ['ves', ['f', 'fe']],
  ['es', ['e', '']],
  ['s', ['']],
  ['ing', ['', 'e']],
  ['ed', ['', 'e']],
  ['er', ['', 'e']],
  ['est', ['', 'e']],
  ['ly', ['']],
  ['ness', ['']],
];

const MIN_STEM = 3;
const MARKS = /\p{M}+/gu;

/**
 * Generates what to look up for a word that is not in the vocabulary, most likely first: without accents, then without
 * an inflected ending (`lionesses` → `lioness`, `tawnier` → `tawny`, `gnawed` → `gnaw`, `yapping` → `yap`).
 */
export function* variantsOf(word: string): Generator<string> {
  const plain = word.normalize('NFD').replace(MARKS, '');
  if (plain !== word) yield plain;
  for (const [ending, replacements] of ENDINGS) {
    if (!plain.endsWith(ending)) continue;
    const stem = plain.slice(0, -ending.length);
    if (stem.length < MIN_STEM) continue;
    for (const replacement of replacements) yield stem + replacement;
    if (stem.at(-1) === stem.at(-2)) yield stem.slice(0, -1);
    if (stem.endsWith('i')) yield `${stem.slice(0, -1)}y`;
  }
}
