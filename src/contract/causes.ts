import { ERROR_BOUNDS } from './failures.ts';

/** Returns the message of any thrown value, cut to the limit: an error's message, a text, or anything else as JSON. */
export function plainMessage(thrown: unknown): string {
  return textOf(thrown).slice(0, ERROR_BOUNDS.message);
}

function textOf(thrown: unknown): string {
  if (thrown instanceof Error) return String(thrown.message);
  try {
    const json = typeof thrown === 'object' && thrown !== null ? JSON.stringify(thrown) : undefined;
    return json ?? String(thrown);
  } catch {
    return 'a value that cannot be written as text';
  }
}

/**
 * Returns the causes of an error, nearest first: each `cause`, and the errors in an `AggregateError`. Bounded in number
 * and size, also when causes form a cycle.
 */
export function causesOf(error: unknown): { type: string; message: string }[] {
  const causes: { type: string; message: string }[] = [];
  const seen = new Set<unknown>([error]);
  const left = innerOf(error);
  for (let next = left.shift(); next !== undefined && causes.length < ERROR_BOUNDS.causes; next = left.shift()) {
    if (seen.has(next)) continue;
    seen.add(next);
    causes.push({
      type: typeOf(next).slice(0, ERROR_BOUNDS.type),
      message: textOf(next).slice(0, ERROR_BOUNDS.causeMessage),
    });
    left.push(...innerOf(next));
  }
  return causes;
}

/** Temporal's own failures carry the name of what was thrown as their type. */
function typeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'Error';
  return thrown.name === 'ApplicationFailure' && 'type' in thrown ? String(thrown.type) : String(thrown.name);
}

function innerOf(error: unknown): unknown[] {
  if (!(error instanceof Error)) return [];
  const inner = error instanceof AggregateError ? error.errors.slice(0, ERROR_BOUNDS.causes) : [];
  return [error.cause, ...inner].filter((each) => each !== undefined && each !== null);
}
