import { type Command, Option } from 'commander';
import { type FullText, LANGUAGES, type Language } from '../contract/full-text.ts';
import { UsageError } from './errors.ts';

export interface FullTextOptions {
  fullText?: Language | 'none';
  fullTextField?: string;
}

const NAMES = Object.keys(LANGUAGES);

/** Adds the options for the full text of an index that is created. */
export function withFullText(command: Command, { none = false } = {}): Command {
  const choices = none ? [...NAMES, 'none'] : NAMES;
  const rest = none ? '; default: as the source' : '';
  return command
    .addOption(
      new Option(
        '--full-text <language>',
        `index the words of the texts too, in this language; simple: without stemming${rest}`,
      ).choices(choices),
    )
    .option('--full-text-field <field>', 'field of the metadata that names the language of an object, such as de');
}

/** Returns the full text that the options stand for; undefined if they say nothing, null for none. */
export function fullTextFrom({ fullText, fullTextField }: FullTextOptions): FullText | null | undefined {
  if (fullTextField !== undefined && (fullText === undefined || fullText === 'none')) {
    throw new UsageError('--full-text-field requires --full-text with a language, such as --full-text english');
  }
  if (fullText === undefined) return undefined;
  if (fullText === 'none') return null;
  return { language: fullText, ...(fullTextField === undefined ? {} : { languageField: fullTextField }) };
}

/** Adds the options of a search by words. */
export function withSearchMode(command: Command): Command {
  return command
    .addOption(
      new Option('--mode <mode>', 'by the model, by words, or by both; default: vector').choices([
        'vector',
        'text',
        'hybrid',
      ]),
    )
    .addOption(new Option('--language <language>', 'language of the words; default: that of the index').choices(NAMES))
    .option('--allow-degraded', 'with --mode hybrid: search by words alone while the model does not answer');
}
