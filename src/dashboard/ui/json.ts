/** A text of a form that was read as JSON; `value` is undefined for an empty text. */
export interface ReadJson {
  value?: unknown;
  /** What is wrong with the text. */
  error?: string;
}

/** Reads what was typed as JSON. */
export function readJson(text: string): ReadJson {
  if (text.trim() === '') return {};
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { error: 'must be JSON: put text in quotes' };
  }
}

/** Formats a value as JSON with line breaks. */
export const jsonText = (value: unknown): string => JSON.stringify(value, null, 2);
