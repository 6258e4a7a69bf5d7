import { once } from 'node:events';
import type { Embedder } from '../../../src/contract/embedder.ts';
import type { ModelConfig } from '../../../src/contract/models.ts';

export interface HeldTexts {
  /** Resolves when the model is asked for one of the texts. */
  asked: Promise<void>;
  /** Lets the model answer. */
  release(): void;
}

/** A model with these dimensions that delays texts until it may answer; a canceled call ends. */
export function createSlowModel(dimensions: number) {
  const holds = new Set<{ pattern: RegExp; ask: () => void; released: Promise<void> }>();
  return {
    holdBack(pattern: RegExp): HeldTexts {
      let [ask, release] = [() => {}, () => {}];
      const asked = new Promise<void>((resolve) => {
        ask = resolve;
      });
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      const hold = { pattern, ask, released };
      holds.add(hold);
      return {
        asked,
        release() {
          holds.delete(hold);
          release();
        },
      };
    },

    /** For the rig. */
    embedder: (config: ModelConfig, usual: Embedder): Embedder => ({
      ...usual,
      async embed(texts, options) {
        for (const { pattern, ask, released } of config.dimensions === dimensions ? holds : []) {
          if (!texts.some((text) => pattern.test(text))) continue;
          ask();
          await Promise.race([released, untilAborted(options.signal)]);
        }
        return usual.embed(texts, options);
      },
    }),
  };
}

async function untilAborted(signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return new Promise(() => {});
  if (!signal.aborted) await once(signal, 'abort');
  signal.throwIfAborted();
}
