import type { Metadata } from '../../contract/objects.ts';

/** A metadata filter as it was written: JSON, or why it is none. Nothing written is no filter. */
export function filterOf(text: string): { filter?: Metadata; error?: string } {
  if (text.trim() === '') return {};
  try {
    const filter: unknown = JSON.parse(text);
    if (typeof filter === 'object' && filter !== null && !Array.isArray(filter)) return { filter: filter as Metadata };
  } catch {
    // Said below.
  }
  return { error: 'must be a JSON object, for instance {"lang": "en"}' };
}
