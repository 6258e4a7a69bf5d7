import { ANSWERS } from './answers.ts';
import { OUTAGES } from './outages.ts';
import { REFUSALS } from './refusals.ts';
import type { Row } from './rows.ts';
import { TEXTS_OF_THEIR_OWN } from './texts.ts';

/** What providers answer and do, with what becomes of a write, a reindex and a search then. */
export const ROWS: readonly Row[] = [...REFUSALS, ...OUTAGES, ...ANSWERS, ...TEXTS_OF_THEIR_OWN];
