import { namesLength } from '../contract/embedder.ts';

/** As OpenAI (`Invalid 'input[3]': …`), Voyage (`The example at index 3 …`) and Mistral (`Input id 3 …`) name a text. */
const NAMED_TEXT = /\b(?:input\[|example at index |Input id )(\d{1,6})\b/;

interface Why {
  /** A text is likely to blame: the model refused the call, and has accepted one of this size before. */
  isText: boolean;
  /** What the model said. */
  said: string;
  /** Max texts of a call that the refusal seems to name. */
  hint?: number | undefined;
}

/**
 * Divides the texts of a call that failed. A text that the refusal names goes alone. One of an unknown place is searched in
 * parts of log2(n) texts, so that at most 2·log2(n) texts are sent in further calls that fail: halves would send n of them.
 * If the size may be to blame, or the model, halves find out in the fewest calls.
 */
export function partsOfCall(texts: readonly string[], { isText, said, hint }: Why): string[][] {
  const named = Number(NAMED_TEXT.exec(said)?.[1] ?? Number.NaN);
  if (named < texts.length) return [texts.toSpliced(named, 1), [texts[named] as string]];
  if (hint !== undefined) return cut(texts, hint);
  const isSearched = isText && !namesLength(said);
  return cut(texts, isSearched ? Math.max(1, Math.floor(Math.log2(texts.length))) : Math.ceil(texts.length / 2));
}

function cut(texts: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(texts.length / size) }, (_, at) => texts.slice(at * size, (at + 1) * size));
}
