import type { Metadata } from '../../contract/objects.ts';

/** Parses a metadata filter, or returns the problem. An empty text is no filter. */
export function filterOf(text: string): { filter?: Metadata; error?: string } {
  if (text.trim() === '') return {};
  try {
    const filter: unknown = JSON.parse(text);
    if (typeof filter === 'object' && filter !== null && !Array.isArray(filter)) return { filter: filter as Metadata };
  } catch {
    // Reported below.
  }
  return { error: 'must be a JSON object, for instance {"lang": "en"}' };
}
