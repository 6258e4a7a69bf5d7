import { sql } from 'kysely';
import type { Language } from '../../contract/full-text.ts';
import type { Trx } from '../database.ts';
import { codeOf, SQLSTATE } from '../sqlstate.ts';
import { regconfigOf } from './words.ts';

/** Up to this many characters fit, even if each word is another one and counts twice, as a part of a compound. */
const SURE_CHARS = 150_000;

/**
 * Returns the beginning of a text whose words Postgres can keep together: their letters take at most 1 MB, each
 * different word once. Only the text of a part that the splitter did not make is longer.
 */
export async function fittingText(trx: Trx, text: string, language: Language): Promise<string> {
  for (let fitting = text; ; fitting = firstHalf(fitting)) {
    if (fitting.length <= SURE_CHARS || (await fits(trx, fitting, language))) return fitting;
  }
}

async function fits(trx: Trx, text: string, language: Language): Promise<boolean> {
  await sql`savepoint fitting`.execute(trx);
  try {
    await sql`select length(to_tsvector(${regconfigOf(language)}::text::regconfig, ${text}::text))`.execute(trx);
    return true;
  } catch (error) {
    if (codeOf(error) !== SQLSTATE.limitExceeded) throw error;
    return false;
  } finally {
    await sql`rollback to savepoint fitting`.execute(trx);
  }
}

function firstHalf(text: string): string {
  const half = text.slice(0, Math.ceil(text.length / 2));
  return half.isWellFormed() ? half : half.slice(0, -1);
}
