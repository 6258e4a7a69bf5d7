import { useState } from 'react';
import type { z } from 'zod';
import { ReembedError } from '../../client/http/client.ts';

/** Checks what was written by the contract's own schema before it is sent, and tells of each field what is wrong. */
export function useChecked<S extends z.ZodType>(schema: S) {
  const [issues, setIssues] = useState<Record<string, string>>({});
  return {
    errorOf: (path: string): string | undefined => issues[path],
    /** True if it may be sent. */
    check(value: unknown): value is z.input<S> {
      const parsed = schema.safeParse(value);
      setIssues(
        parsed.success
          ? {}
          : Object.fromEntries(parsed.error.issues.map(({ path, message }) => [path.join('.'), message])),
      );
      return parsed.success;
    },
    /** What the API said of fields. */
    refuse(error: unknown): void {
      if (!(error instanceof ReembedError)) return;
      setIssues(Object.fromEntries(error.issues.map(({ path, message }) => [path, message])));
    },
  };
}

/** `docs-v2` after `docs-v1`, and so on until a name is free. */
export function nextName(name: string, taken: readonly string[]): string {
  const [, stem = name, version = '1'] = /^(.*?)-v(\d+)$/.exec(name) ?? [];
  for (let next = Number(version) + 1; ; next++) {
    const candidate = `${stem}-v${next}`;
    if (!taken.includes(candidate)) return candidate;
  }
}
