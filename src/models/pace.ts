import pLimit from 'p-limit';
import type { CallSize, Pace } from '../contract/embedder.ts';

/** What was learned is doubted after so long: a provider may have changed its limits. */
const FORGET_MS = 30 * 60_000;
/** Sizes known to be fine and known to be refused that are this near are not told apart any further. */
const NEAR = 1.25;
/** Refusals that name a length rather than a number of texts. */
const ABOUT_LENGTH = /token|length|character|context|payload|bytes|\b413\b/i;
const ABOUT_COUNT = /batch|input|item|array|size|many|most|larger|exceed|at least|limit|max/i;

export interface Learned extends Pace {
  /** Most texts and characters of a call, as far as is known; infinite before anything is. */
  readonly mostTexts: number;
  readonly mostChars: number;
}

/**
 * Learns from the answers of a model how large a call may be and how many may be in flight: by what it refuses, between
 * the largest size that was fine and the smallest that was not, and by what takes too long, smaller and fewer at once
 * and slowly more again. `timeoutMs` is the time limit of a call.
 */
export function createPace(timeoutMs = Number.POSITIVE_INFINITY, now: () => number = Date.now): Learned {
  const texts = createBound(now);
  const chars = createBound(now);
  const places = createPlaces(now);
  const turn = pLimit(1);
  let inTimeChars = Number.POSITIVE_INFINITY;
  let suspectTexts = Number.POSITIVE_INFINITY;
  let hasAnswered = false;

  return {
    enter: places.enter,
    inTurn: (search) => turn(search),
    get hasAnswered() {
      return hasAnswered;
    },
    get mostTexts() {
      return texts.most();
    },
    get mostChars() {
      return Math.min(chars.most(), inTimeChars);
    },
    answered(size, ms) {
      hasAnswered = true;
      texts.fine(size.texts);
      chars.fine(size.chars);
      if (size.texts >= suspectTexts) suspectTexts = Number.POSITIVE_INFINITY;
      if (ms > timeoutMs / 2) inTimeChars = Math.min(inTimeChars, Math.max(1, Math.ceil(size.chars * 0.7)));
      else if (ms < timeoutMs / 8 && size.chars >= inTimeChars / 2) inTimeChars = Math.ceil(inTimeChars * 1.5);
      if (ms < timeoutMs / 4) places.more();
    },
    timedOut(size, ms) {
      inTimeChars = Math.min(inTimeChars, Math.max(1, Math.ceil(size.chars / 2)));
      places.fewer(ms);
    },
    tooLarge(size, said, isSure) {
      if (!isSure && size.texts < suspectTexts) {
        suspectTexts = size.texts;
        return;
      }
      const hint = hintIn(size, said);
      const aboutLength = ABOUT_LENGTH.test(said);
      if (hint !== undefined && hint === texts.largestFine()) texts.refused(hint + 1);
      else if (aboutLength || size.texts <= texts.largestFine()) chars.refused(size.chars);
      else texts.refused(size.texts);
    },
    hintOf: hintIn,
  };
}

/** A number in the reason that is smaller than the call, where it is about the number of texts. */
function hintIn({ texts }: CallSize, said: string): number | undefined {
  if (!ABOUT_COUNT.test(said)) return undefined;
  const numbers = [...said.matchAll(/(?<![\w.-])\d{1,4}(?![\w.]*\w)/g)].map(([number]) => Number(number));
  const fitting = numbers.filter((number) => number >= 1 && number < texts);
  // With one number more it is likelier a position, a code or a count of tokens.
  return new Set(fitting).size === 1 ? fitting[0] : undefined;
}

/** A size between the largest that was fine and the smallest that was refused. */
function createBound(now: () => number) {
  let fine = 0;
  let refused = Number.POSITIVE_INFINITY;
  let learnedMs = 0;
  return {
    largestFine: () => fine,
    fine(size: number) {
      fine = Math.max(fine, size);
      if (size >= refused) refused = Number.POSITIVE_INFINITY;
    },
    refused(size: number) {
      refused = Math.min(refused, size);
      if (fine >= refused) fine = 0;
      learnedMs = now();
    },
    most(): number {
      if (now() - learnedMs > FORGET_MS) refused = Number.POSITIVE_INFINITY;
      if (refused === Number.POSITIVE_INFINITY) return refused;
      if (fine > 0 && refused <= Math.max(fine + 1, fine * NEAR)) return fine;
      return Math.max(1, Math.floor((fine + refused) / 2));
    },
  };
}

/** Places for calls in flight: without limit until some time out, then half of what was in flight. */
function createPlaces(now: () => number) {
  const waiting: (() => void)[] = [];
  let most = Number.POSITIVE_INFINITY;
  let taken = 0;
  let fewerMs = Number.NEGATIVE_INFINITY;
  const next = () => {
    while (taken < most && waiting.length > 0) waiting.shift()?.();
  };
  const take = () => {
    taken++;
    let isFree = false;
    return () => {
      if (isFree) return;
      isFree = true;
      taken--;
      next();
    };
  };
  return {
    async enter(signal?: AbortSignal): Promise<() => void> {
      signal?.throwIfAborted();
      if (taken < most) return take();
      return new Promise((resolve, reject) => {
        const enter = () => {
          signal?.removeEventListener('abort', leave);
          resolve(take());
        };
        const leave = () => {
          waiting.splice(waiting.indexOf(enter), 1);
          reject(signal?.reason);
        };
        signal?.addEventListener('abort', leave, { once: true });
        waiting.push(enter);
      });
    },
    /** Calls that began before the last time say nothing new. */
    fewer(ms: number) {
      if (now() - ms < fewerMs) return;
      fewerMs = now();
      most = Math.max(1, Math.floor(Math.min(most, taken) / 2));
    },
    more() {
      most += 1 / Math.max(1, most);
      next();
    },
  };
}
