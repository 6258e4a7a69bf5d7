import type { Context, MiddlewareHandler } from 'hono';
import { type FieldIssue, ReembedError } from '../contract/errors.ts';
import { issuesText } from '../contract/issues.ts';
import { closest } from '../contract/spelling.ts';

/** Longer than any useful parameter; cursors are the longest. */
const MAX_CHARS = 4_000;

/**
 * Checks all parameters of a call before anything uses one: the query has only parameters that the route knows, each
 * once, and all are text that can be stored and compared. Hono itself passes on what it cannot decode.
 */
export function checkedParameters(known: readonly string[], path = ''): MiddlewareHandler {
  const names = path.split('/').map((segment) => /^\{(\w+)\}$/.exec(segment)?.[1]);
  return async (c, next) => {
    checkParameters(c, known, names);
    await next();
  };
}

/** Checks one call. Error: `InvalidInput` with each bad parameter. */
export function checkParameters(
  c: Context,
  known: readonly string[],
  names: readonly (string | undefined)[] = [],
): void {
  const { pathname, search } = new URL(c.req.raw.url);
  const issues = [...pathIssues(pathname.split('/'), names), ...queryIssues(search.slice(1), known)];
  if (issues.length > 0) throw new ReembedError('InvalidInput', issuesText(issues), { issues });
}

/** Compares from the end of the address, since the router may be mounted anywhere. */
function pathIssues(segments: readonly string[], names: readonly (string | undefined)[]): FieldIssue[] {
  return names.flatMap((name, at) => {
    if (name === undefined) return [];
    const value = decode(segments[segments.length - names.length + at] ?? '');
    const message = value === undefined ? NOT_UTF8 : textProblem(value);
    return message === undefined ? [] : [{ path: `path.${name}`, message }];
  });
}

function queryIssues(search: string, known: readonly string[]): FieldIssue[] {
  const seen = new Set<string>();
  return search.split('&').flatMap((pair): FieldIssue[] => {
    if (pair === '') return [];
    const at = pair.indexOf('=');
    const name = decode(at < 0 ? pair : pair.slice(0, at), true);
    const path = `query.${(name ?? pair).slice(0, 100)}`;
    if (name === undefined || !known.includes(name)) return [{ path, message: unknown(name, known) }];
    const value = decode(at < 0 ? '' : pair.slice(at + 1), true);
    const message = value === undefined ? NOT_UTF8 : textProblem(value);
    if (message !== undefined) return [{ path, message }];
    if (seen.has(name)) return [{ path, message: 'must be there once' }];
    seen.add(name);
    return [];
  });
}

const NOT_UTF8 = 'must be UTF-8, percent-encoded';

function textProblem(text: string): string | undefined {
  if (text.length > MAX_CHARS) return `at most ${MAX_CHARS} characters`;
  if (text.includes('\u0000')) return 'must not contain NUL characters';
  return text.isWellFormed() ? undefined : 'must be well-formed Unicode';
}

function unknown(name: string | undefined, known: readonly string[]): string {
  const near = name === undefined || name.length > 100 ? undefined : closest(name, known);
  if (near !== undefined) return `is not a known parameter: did you mean ${near}?`;
  return `is not a known parameter: ${known.length > 0 ? `there are ${known.join(', ')}` : 'this call takes none'}`;
}

function decode(text: string, isQuery = false): string | undefined {
  try {
    return decodeURIComponent(isQuery ? text.replaceAll('+', ' ') : text);
  } catch {
    return undefined;
  }
}
