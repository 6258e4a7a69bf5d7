import type { Language } from '../../contract/full-text.ts';

/** Returns the name of Postgres' configuration, independent of the search path. */
export const regconfigOf = (language: Language) => `pg_catalog.${language}`;

/** Scripts without spaces between words: Postgres would take a whole sentence as one word. */
const WITHOUT_SPACES =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu;

/**
 * Puts a space after each word of scripts that have none. The words are those of Unicode's segmentation, for which
 * `Intl.Segmenter` has dictionaries.
 */
export function spaced(text: string): string {
  return text.replace(WITHOUT_SPACES, (run) => {
    const words = [...segmenter.segment(run)].map(({ segment }) => segment);
    return ` ${words.join(' ')} `;
  });
}

const segmenter = new Intl.Segmenter('und', { granularity: 'word' });
