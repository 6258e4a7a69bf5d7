const MESSAGE_CHARS = 300;
/** The rest of a longer response is dropped without being searched. */
const ANSWER_CHARS = 4_000;
/** How much of a text must appear to count as a quotation; shorter texts reveal nothing. */
const MIN_QUOTE = 4;
const QUOTE_HEAD = 16;
const PROVIDER_KEY = /\b(?:sk|pk|hf|key)[-_][\w*.-]{6,}/g;

/**
 * Makes a provider's message fit to be stored and shown: without keys, without quotations of the texts (whole or from
 * the beginning, plain or as JSON), on one line of at most 300 characters.
 */
export function redact(answer: string, texts: readonly string[], secrets: readonly string[] = []): string {
  let said = answer;
  for (const secret of secrets) said = said.replaceAll(secret, '[key]');
  said = said.slice(0, ANSWER_CHARS).replace(PROVIDER_KEY, '[key]');
  for (const text of texts) {
    said = cutQuotes(said, text);
    said = cutQuotes(said, JSON.stringify(text).slice(1, -1));
  }
  said = said.replace(/\s+/g, ' ').trim();
  return said.length > MESSAGE_CHARS ? `${said.slice(0, MESSAGE_CHARS - 1)}…` : said;
}

function cutQuotes(said: string, text: string): string {
  const head = text.slice(0, QUOTE_HEAD);
  if (head.trim().length < MIN_QUOTE) return said;
  let result = '';
  let from = 0;
  for (;;) {
    const at = said.indexOf(head, from);
    if (at < 0) return result + said.slice(from);
    let end = head.length;
    while (end < text.length && said[at + end] === text[end]) end++;
    result += `${said.slice(from, at)}[text]`;
    from = at + end;
  }
}
