import { z } from 'zod';
import { LIMITS } from './limits.ts';

/** Languages with stemming and stop words in every supported Postgres, by the name of their configuration. */
export const LANGUAGES = {
  simple: 'none',
  arabic: 'ar',
  armenian: 'hy',
  basque: 'eu',
  catalan: 'ca',
  danish: 'da',
  dutch: 'nl',
  english: 'en',
  finnish: 'fi',
  french: 'fr',
  german: 'de',
  greek: 'el',
  hindi: 'hi',
  hungarian: 'hu',
  indonesian: 'id',
  irish: 'ga',
  italian: 'it',
  lithuanian: 'lt',
  nepali: 'ne',
  norwegian: 'no',
  portuguese: 'pt',
  romanian: 'ro',
  russian: 'ru',
  serbian: 'sr',
  spanish: 'es',
  swedish: 'sv',
  tamil: 'ta',
  turkish: 'tr',
  yiddish: 'yi',
} as const;

export type Language = keyof typeof LANGUAGES;

export const languageSchema = z
  .enum(Object.keys(LANGUAGES) as [Language, ...Language[]])
  .describe('How words are stemmed, and which are too common to search for; `simple`: neither.');

export const fullTextSchema = z
  .strictObject({
    language: languageSchema.default('simple'),
    languageField: z
      .string()
      .min(1)
      .max(LIMITS.nameChars)
      .optional()
      .describe(
        'Field of the metadata that names the language of an object, such as `de` or `german`; objects without a known one have `language`.',
      ),
  })
  .describe('Also keeps an index of the words of each part, for searches with `mode: text` or `hybrid`.')
  .meta({ examples: [{ language: 'english' }] });
export type FullText = z.output<typeof fullTextSchema>;

const BY_NAME = new Map<string, Language>(
  Object.entries(LANGUAGES).flatMap(([name, code]) => [
    [name, name as Language],
    [code, name as Language],
  ]),
);

/** Returns the language of an object: the one that its metadata names, such as `de`, `de-AT` or `German`. */
export function languageOf(
  { language, languageField }: FullText,
  metadata: Readonly<Record<string, unknown>>,
): Language {
  const named = languageField !== undefined && Object.hasOwn(metadata, languageField) ? metadata[languageField] : null;
  if (typeof named !== 'string') return language;
  const name = named.toLowerCase();
  return BY_NAME.get(name) ?? BY_NAME.get(name.split(/[-_]/, 1)[0] ?? '') ?? language;
}

const weight = z.number().min(0).max(1_000).default(1);

/** What a search says about words. */
export const fullTextSearchFields = {
  mode: z
    .enum(['vector', 'text', 'hybrid'])
    .default('vector')
    .describe(
      '`vector`: by the model. `text`: by the words of the text, without the model. `hybrid`: by both, merged by rank. The last two need an index with `fullText`.',
    ),
  language: languageSchema
    .optional()
    .describe('Language of `text` for the search by words. Default: that of the index.'),
  weights: z
    .strictObject({ vector: weight, text: weight })
    .refine(({ vector, text }) => vector + text > 0, { path: ['vector'], message: 'give at least one weight above 0' })
    .optional()
    .describe('How much each ranking of a `hybrid` search counts. Default: 1 each.'),
  allowDegraded: z
    .boolean()
    .default(false)
    .describe('Whether a `hybrid` search is answered by words alone while the model does not answer: see `degraded`.'),
};

interface FullTextSearch {
  mode: 'vector' | 'text' | 'hybrid';
  text?: string | undefined;
  language?: Language | undefined;
  weights?: object | undefined;
  allowDegraded: boolean;
  exact?: boolean | undefined;
  ef?: number | undefined;
}

/** Returns what contradicts itself in a search, by field. */
export function fullTextProblems(search: FullTextSearch): { path: string; message: string }[] {
  const { mode, text, language, weights, allowDegraded, exact, ef } = search;
  const problems = [
    mode !== 'vector' && text === undefined && { path: 'text', message: `needed by mode ${mode}` },
    mode === 'vector' && language !== undefined && { path: 'language', message: 'only for mode text or hybrid' },
    mode !== 'hybrid' && weights !== undefined && { path: 'weights', message: 'only for mode hybrid' },
    mode === 'text' && exact !== undefined && { path: 'exact', message: 'only for mode vector or hybrid' },
    mode === 'text' && ef !== undefined && { path: 'ef', message: 'only for mode vector or hybrid' },
    mode !== 'hybrid' && allowDegraded && { path: 'allowDegraded', message: 'only for mode hybrid' },
  ];
  return problems.filter((problem) => problem !== false);
}
