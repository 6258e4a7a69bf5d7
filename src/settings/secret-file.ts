import { readFileSync } from 'node:fs';
import { messageOf, ReembedError } from '../contract/errors.ts';

/**
 * Reads a file that a setting names, with one secret per line; empty lines and lines that start with `#` are skipped.
 * Errors name the line number, never its content.
 * @throws ReembedError `InvalidSetting`
 */
export function readSecretLines<T>(
  variable: string,
  file: string,
  { parse, expected }: { parse: (written: string, place: number) => T | undefined; expected: string },
): T[] {
  const invalid = (problem: string, cause?: unknown) =>
    new ReembedError('InvalidSetting', `${variable} is ${JSON.stringify(file)}, but ${problem}`, { cause });
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(`the file cannot be read: ${messageOf(error)}`, error);
  }
  return text.split(/\r?\n/).flatMap((line, at) => {
    const written = line.trim();
    if (written === '' || written.startsWith('#')) return [];
    const secret = parse(written, at);
    if (secret === undefined) throw invalid(`line ${at + 1} must be ${expected}`);
    return [secret];
  });
}
