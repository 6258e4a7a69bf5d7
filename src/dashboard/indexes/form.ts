import { notifications } from '@mantine/notifications';
import { useEffect, useRef, useState } from 'react';
import type { z } from 'zod';
import { ReembedError } from '../../client/client.ts';
import type { FieldIssue } from '../../contract/errors.ts';
import { fieldIssues } from '../../contract/issues.ts';
import { fieldWords } from '../ui/field-words.ts';

/**
 * Validates a form with the contract's schema before it is sent, and returns the problem of each field. `words` replaces
 * the problem of a field whose value the form shows in another way than the API. With `form` as its reference, the form
 * moves to the first field with a problem; a problem that no field shows becomes a notification.
 */
export function useChecked<S extends z.ZodType>(schema: S, words: Readonly<Record<string, string>> = {}) {
  const [issues, setIssues] = useState<Record<string, string>>({});
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => show(form.current, issues), [issues]);
  return {
    form,
    errorOf: (path: string): string | undefined => issues[path],
    /** Returns the first problem below a path, such as that of a list whose items share one field: `2.id: Enter a value.` */
    errorBelow(path: string): { path: string; message: string } | undefined {
      const found = Object.keys(issues).find((each) => each.startsWith(`${path}.`));
      return found === undefined ? undefined : { path: found.slice(path.length + 1), message: issues[found] ?? '' };
    },
    /** Returns true if the value is valid. */
    check(value: unknown): value is z.input<S> {
      const parsed = schema.safeParse(value);
      const found = parsed.success ? [] : fieldIssues(parsed.error);
      setIssues(byPath(found, ({ path, message }) => words[path] ?? fieldWords(message, isEmpty(value, path))));
      return parsed.success;
    },
    /** Shows the field problems that the API returned. */
    refuse(error: unknown): void {
      if (!(error instanceof ReembedError)) return;
      setIssues(byPath(error.issues, ({ path, message }) => words[path] ?? fieldWords(message)));
    },
  };
}

function byPath(issues: readonly FieldIssue[], wordsOf: (issue: FieldIssue) => string): Record<string, string> {
  // The first problem of a field counts.
  return Object.fromEntries([...issues].reverse().map((issue) => [issue.path, wordsOf(issue)]));
}

/** Whether a value has nothing at a path. */
function isEmpty(value: unknown, path: string): boolean {
  let at = value;
  for (const name of path.split('.')) {
    if (typeof at !== 'object' || at === null) return false;
    at = (at as Record<string, unknown>)[name];
  }
  return at === '' || at === undefined;
}

/** Moves to the first invalid field, which may be in a part of the form that is folded. */
function show(form: HTMLFormElement | null, issues: Readonly<Record<string, string>>): void {
  const [first] = Object.entries(issues);
  if (!form || !first) return;
  const field = form.querySelector<HTMLElement>('[aria-invalid=true]');
  if (!field) {
    notifications.show({ message: `${first[0]}: ${first[1]}`, color: 'red', autoClose: 8_000 });
    return;
  }
  for (let folded = field.closest('details'); folded; folded = folded.parentElement?.closest('details') ?? null) {
    folded.open = true;
  }
  field.focus();
}

/** Returns the next free name: `docs-v2` after `docs-v1`, and so on. */
export function nextName(name: string, taken: readonly string[]): string {
  const [, stem = name, version = '1'] = /^(.*?)-v(\d+)$/.exec(name) ?? [];
  for (let next = Number(version) + 1; ; next++) {
    const candidate = `${stem}-v${next}`;
    if (!taken.includes(candidate)) return candidate;
  }
}
