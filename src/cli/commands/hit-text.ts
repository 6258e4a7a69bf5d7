import type { Hit } from '../../contract/objects.ts';
import { oneLine } from '../output.ts';

const SHOWN_CHARS = 80;

/** Formats what a hit has as one short line: its payload or, without one, the text that matched. */
export function contentText({ payload, text, omitted }: Pick<Hit, 'payload' | 'text' | 'omitted'>): string {
  const isPayload = payload !== undefined;
  if (omitted?.includes(isPayload ? 'payload' : 'text')) return '(omitted: the response would be too large)';
  const content = isPayload ? payload : (text ?? '');
  const line = oneLine(typeof content === 'string' ? content : JSON.stringify(content));
  return line.length > SHOWN_CHARS ? `${line.slice(0, SHOWN_CHARS - 1)}…` : line;
}
