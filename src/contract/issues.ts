import type { z } from 'zod';
import type { FieldIssue } from './errors.ts';
import { typeWords, wordsOf } from './issue-words.ts';

type Issue = z.core.$ZodIssue;

/** Maximum issues in one response: ten thousand items can have ten thousand problems. */
export const MAX_ISSUES = 100;

/**
 * Lists every invalid field of a failed parse, in dotted form. An unknown field is named itself. For a union, the
 * closest branch is reported, since "no branch matches" does not help anyone to fix it; a message of the union's own
 * wins over one of a branch about the whole value.
 */
export function fieldIssues(error: z.core.$ZodError, prefix: readonly PropertyKey[] = []): FieldIssue[] {
  return error.issues.flatMap((issue) => flatten(issue, prefix)).slice(0, MAX_ISSUES);
}

/** Returns the issues as one line of text, at most this many of them. */
export function issuesText(issues: readonly FieldIssue[], max = 3): string {
  const shown = issues.slice(0, max).map(({ path, message }) => (path ? `${path}: ${message}` : message));
  return shown.join('; ') + (issues.length > shown.length ? `; and ${issues.length - shown.length} more` : '');
}

function flatten(issue: Issue, prefix: readonly PropertyKey[]): FieldIssue[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const message = issue.message.startsWith('Unrecognized key') ? 'is not a known field' : issue.message;
    return issue.keys.slice(0, MAX_ISSUES).map((key) => ({ path: dotted([...path, key]), message }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const nearest = nearestBranch(issue.errors);
    const isOfAll = issue.message !== 'Invalid input' && nearest?.every(({ path }) => path.length === 0);
    if (nearest && !isOfAll) return nearest.flatMap((inner) => flatten(inner, path));
    if (issue.message === 'Invalid input') return [{ path: dotted(path), message: anyOf(issue.errors) }];
  }
  if (issue.code === 'invalid_key' || issue.code === 'invalid_element') {
    return issue.issues.flatMap((inner) => flatten(inner, path));
  }
  return [{ path: dotted(path), message: wordsOf(issue) }];
}

/** Returns the branch that got furthest into the value; undefined if every branch refused the whole value. */
function nearestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const refusedWhole = (issue: Issue) =>
    issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
  return branches.filter((issues) => !issues.some(refusedWhole)).sort((a, b) => a.length - b.length)[0];
}

/** Returns what the branches of a union without its own message expected. */
function anyOf(branches: readonly (readonly Issue[])[]): string {
  const firsts = branches.flatMap((issues) => issues.slice(0, 1));
  const byType = firsts.filter((issue) => issue.code === 'invalid_type' && wordsOf(issue) !== issue.message);
  const others = firsts.filter((issue) => !byType.includes(issue)).map(wordsOf);
  return [...new Set(byType.length > 0 ? [...others, typeWords(byType)] : others)].join(', or ');
}

function dotted(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}
