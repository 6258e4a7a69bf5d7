import type { z } from 'zod';
import type { searchSchema } from '../../contract/objects.ts';
import { oneOf } from '../search-params.ts';
import { filterOf } from './filter.ts';

/** A search as the address has it. */
export interface Asked {
  text?: string;
  left?: string;
  right?: string;
  filter?: string;
  mode?: string;
  exact?: string;
}

export const MODES = ['vector', 'text', 'hybrid'] as const;
export type Mode = (typeof MODES)[number];

const LIMIT = 10;

export function modeOf({ mode }: Asked): Mode {
  return oneOf(MODES, mode) ?? 'vector';
}

/** Returns the search that is sent. A search by words compares no vectors, so that it cannot be exact. */
export function bodyOf(asked: Asked): z.input<typeof searchSchema> {
  const mode = modeOf(asked);
  const exact = asked.exact === 'true' && mode !== 'text';
  return {
    ...{ text: asked.text, limit: LIMIT, mode, filter: filterOf(asked.filter ?? '').filter },
    ...(exact && { exact }),
    // A failing model is said, and does not end the search.
    ...(mode === 'hybrid' && { allowDegraded: true }),
  };
}
