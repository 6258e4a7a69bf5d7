import { useState } from 'react';
import type { z } from 'zod';
import { ReembedError } from '../../client/client.ts';
import { fieldIssues } from '../../contract/issues.ts';

/** Validates a form with the contract's schema before it is sent, and returns the problem of each field. */
export function useChecked<S extends z.ZodType>(schema: S) {
  const [issues, setIssues] = useState<Record<string, string>>({});
  return {
    errorOf: (path: string): string | undefined => issues[path],
    /** Returns true if the value is valid. */
    check(value: unknown): value is z.input<S> {
      const parsed = schema.safeParse(value);
      setIssues(
        parsed.success ? {} : Object.fromEntries(fieldIssues(parsed.error).map(({ path, message }) => [path, message])),
      );
      return parsed.success;
    },
    /** Shows the field problems that the API returned. */
    refuse(error: unknown): void {
      if (!(error instanceof ReembedError)) return;
      setIssues(Object.fromEntries(error.issues.map(({ path, message }) => [path, message])));
    },
  };
}

/** Returns the next free name: `docs-v2` after `docs-v1`, and so on. */
export function nextName(name: string, taken: readonly string[]): string {
  const [, stem = name, version = '1'] = /^(.*?)-v(\d+)$/.exec(name) ?? [];
  for (let next = Number(version) + 1; ; next++) {
    const candidate = `${stem}-v${next}`;
    if (!taken.includes(candidate)) return candidate;
  }
}
