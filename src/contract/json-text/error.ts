import { type FieldIssue, ReembedError } from '../errors.ts';

/** Why a JSON text is refused; `path` is that of the field, empty for the whole text. */
export class JsonTextError extends Error {
  override readonly name = 'JsonTextError';
  readonly path: readonly (string | number)[];
  /** The text, if its syntax is not valid; `cause` is the parser's error. */
  readonly text: string | undefined;

  constructor(message: string, options: { path?: readonly (string | number)[]; text?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.path = options.path ?? [];
    this.text = options.text;
  }

  /** Converts this to the error of a call; `prefix` is added before the path. */
  toInvalidInput(prefix: readonly (string | number)[] = []): ReembedError {
    const issue: FieldIssue = { path: fieldPath([...prefix, ...this.path]), message: this.message };
    const detail = issue.path === '' ? `the body ${issue.message}` : `${issue.path}: ${issue.message}`;
    return new ReembedError('InvalidInput', detail, { issues: issue.path === '' ? [] : [issue], cause: this });
  }
}

/** Formats a path; only its first steps, since a deep path may be as long as the body. */
const MAX_NAMED_STEPS = 8;

export function fieldPath(path: readonly (string | number)[]): string {
  const named = path.slice(0, MAX_NAMED_STEPS).map((step) => String(step).slice(0, 100));
  return named.join('.') + (path.length > named.length ? '.…' : '');
}
