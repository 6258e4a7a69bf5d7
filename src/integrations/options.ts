import type { z } from 'zod';
import { ReembedError } from '../contract/errors.ts';
import { fieldIssues, issuesText, MAX_ISSUES } from '../contract/issues.ts';

/** Validates options and adds defaults. Error: `InvalidInput` that names each bad option. */
export function parseOptions<S extends z.ZodType>(schema: S, options: unknown): z.output<S> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const issues = fieldIssues(parsed.error);
  throw new ReembedError('InvalidInput', issuesText(issues, MAX_ISSUES), { issues, cause: parsed.error });
}
