import type { z } from 'zod';
import { ReembedError } from '../contract/errors.ts';

/** Validates options and adds defaults. Error: `InvalidInput` that names each bad option. */
export function parseOptions<S extends z.ZodType>(schema: S, options: unknown): z.output<S> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  const text = issues.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new ReembedError('InvalidInput', text, { issues, cause: parsed.error });
}
