import { type FieldIssue, ReembedError } from '../errors.ts';

/** Why a text is no JSON that can be taken: `path` is that of the field, empty for the text as a whole. */
export class JsonTextError extends Error {
  override readonly name = 'JsonTextError';
  readonly path: readonly (string | number)[];
  /** The text, where its grammar is broken: `cause` is the parser's error. */
  readonly text: string | undefined;

  constructor(message: string, options: { path?: readonly (string | number)[]; text?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.path = options.path ?? [];
    this.text = options.text;
  }

  /** As the error of a call; `prefix` comes before the path. */
  toInvalidInput(prefix: readonly (string | number)[] = []): ReembedError {
    const issue: FieldIssue = { path: fieldPath([...prefix, ...this.path]), message: this.message };
    const detail = issue.path === '' ? `the body ${issue.message}` : `${issue.path}: ${issue.message}`;
    return new ReembedError('InvalidInput', detail, { issues: issue.path === '' ? [] : [issue], cause: this });
  }
}

/** Of a deep path the first steps are named: the rest of it may be as long as the body. */
const MAX_NAMED_STEPS = 8;

export function fieldPath(path: readonly (string | number)[]): string {
  const named = path.slice(0, MAX_NAMED_STEPS).map((step) => String(step).slice(0, 100));
  return named.join('.') + (path.length > named.length ? '.…' : '');
}
