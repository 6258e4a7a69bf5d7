import { ANSWERS } from './answers.ts';
import { OUTAGES } from './outages.ts';
import { REFUSALS } from './refusals.ts';
import type { Row } from './rows.ts';
import { TEXTS_OF_THEIR_OWN } from './texts.ts';

/** Answers and behavior of providers, each with the result for a write, a reindex and a search. */
export const ROWS: readonly Row[] = [...REFUSALS, ...OUTAGES, ...ANSWERS, ...TEXTS_OF_THEIR_OWN];
