import { setTimeout as delay } from 'node:timers/promises';
import type { EmbedSession } from './embed.ts';

/** How far a session has come: `stoppedBy` as from `EmbedSession.run`, once it has ended. */
export type EmbedStep = { hasEnded: false } | { hasEnded: true; stoppedBy: unknown };

/**
 * Runs a session and comes back every `everyMs` meanwhile, if given, so that what is finished can be taken. The calls go
 * on while a step is looked at. Without a last step, because its reader leaves, the calls are aborted, and have ended when
 * the reader goes on. Rejects if the signal is aborted.
 */
export async function* embedSteps(
  session: EmbedSession,
  { everyMs, signal }: { everyMs?: number | undefined; signal?: AbortSignal | undefined },
): AsyncGenerator<EmbedStep, void> {
  const calls = new AbortController();
  const abort = () => calls.abort(signal?.reason);
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  const ended = new AbortController();
  const running = session
    .run(calls.signal)
    .then((stoppedBy): EmbedStep => ({ hasEnded: true, stoppedBy }))
    .finally(() => ended.abort());
  running.catch(() => {});
  const tick = async (): Promise<EmbedStep> => {
    await delay(everyMs, undefined, { signal: ended.signal }).catch(() => {});
    return ended.signal.aborted ? running : { hasEnded: false };
  };
  try {
    for (;;) {
      const step = everyMs === undefined ? await running : await tick();
      yield step;
      if (step.hasEnded) return;
    }
  } finally {
    calls.abort();
    signal?.removeEventListener('abort', abort);
    await running.catch(() => {});
  }
}
