import type { ErrorType } from '../../src/contract/errors.ts';
import type { Call, Day, Item } from './provider.ts';

/** The result of a write or a reindex. */
export type Outcome = {
  /** Max calls until then. */
  calls: number;
  /** Objects whose vectors the provider invents. */
  odd?: string[];
} & (
  | {
      /** All objects have their vectors, except those on the failed list with a reason. */
      ends: 'stored';
      failed?: Record<string, string>;
    }
  /** The tracker shows the reason; when the provider works and, with `resume`, the task resumes, all is stored. */
  | { ends: 'waits'; because: ErrorType; resume?: boolean; lasts?: boolean }
  /**
   * A write fails; a reindex pauses, unless the model can never be used as configured (`fails`). When the provider
   * works and the task is restarted or resumed, all objects are stored.
   */
  | { ends: 'stops'; because: ErrorType; fails?: boolean }
);

export interface Row {
  name: string;
  day(): Day;
  /** Overrides that of the provider. */
  baseUrl?: 'nobody listens' | 'http://no-such-host.invalid/v1';
  config?: Record<string, unknown>;
  write: Outcome;
  reindex: Outcome;
  /** The type of the problem that a search answers with; null: it has hits. */
  search: ErrorType | null;
}

export const error = (message: string, more: object = {}) => ({
  error: { message, type: 'invalid_request_error', ...more },
});
export const always = (answer: Day) => () => answer;
export const status =
  (code: number, body: unknown = error(`status ${code}`), headers?: Record<string, string>): Day =>
  (call) =>
    call.send(code, body, headers);
export const raw =
  (body: string | Buffer, headers: Record<string, string> = {}, code = 200): Day =>
  ({ response }) =>
    void response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(body);
export const changed =
  (change: (items: Item[], call: Call) => unknown[]): Day =>
  (call) =>
    call.embed(change(call.items(), call));
/** One object has its own value. */
export const onPoison =
  (change: (item: Item, call: Call) => unknown): Day =>
  (call) =>
    call.embed(call.items().map((item, at) => (isPoison(call.texts[at] ?? '') ? change(item, call) : item)));
export const isPoison = (text: string) => text.includes('poison');
export const hasPoison = ({ texts }: Call) => texts.some(isPoison);
export const unless =
  (isBad: (call: Call) => boolean, bad: Day): Day =>
  (call) =>
    isBad(call) ? bad(call) : call.embed();
export const batches = ({ texts }: Call) => texts.length > 1;
/** Only for the first call with more than one text, or for the first call. */
export const once = (bad: Day) => () => {
  let isOver = false;
  return ((call) => {
    if (isOver) return call.embed();
    isOver = true;
    return bad(call);
  }) as Day;
};

export const stored = (calls: number, failed?: Record<string, string>): Outcome => ({
  ends: 'stored',
  calls,
  ...(failed && { failed }),
});
export const waits = (because: ErrorType, calls: number): Outcome => ({ ends: 'waits', because, calls });
export const stops = (because: ErrorType, calls: number): Outcome => ({ ends: 'stops', because, calls });
export const all = (outcome: Outcome, search: ErrorType | null) => ({ write: outcome, reindex: outcome, search });
export const SMALL_TIMEOUT = { timeoutMs: 1_000 };

export function base64(numbers: readonly number[]): string {
  return Buffer.from(Float32Array.from(numbers).buffer).toString('base64');
}
