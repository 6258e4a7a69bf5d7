import pLimit from 'p-limit';
import { type CallSize, namesLength, type Pace } from '../contract/embedder.ts';

/** How long a learned limit is used; after that the provider may have changed it. */
const FORGET_MS = 30 * 60_000;
/** Stop narrowing down a limit when the smallest refused size is within this factor of the largest accepted one. */
const NEAR = 1.25;
const ABOUT_COUNT = /batch|input|item|array|size|many|most|larger|exceed|at least|limit|max/i;

export interface Learned extends Pace {
  /** Max texts and characters of a call, as far as known; infinite before anything is known. */
  readonly maxTexts: number;
  readonly maxChars: number;
}

/**
 * Learns from a model's responses how large a call may be and how many may be in flight. Refusals narrow down the size
 * between the largest accepted and the smallest refused call. Timeouts make calls smaller and fewer, and both grow
 * slowly again. `timeoutMs` is the time limit of a call.
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
    get maxTexts() {
      return texts.most();
    },
    get maxChars() {
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
      const aboutLength = namesLength(said);
      if (hint !== undefined && hint === texts.largestFine()) texts.refused(hint + 1);
      else if (aboutLength || size.texts <= texts.largestFine()) chars.refused(size.chars);
      else texts.refused(size.texts);
    },
    hintOf: hintIn,
    hasAccepted: (size) => size.texts <= texts.largestFine(),
  };
}

/** Finds a number in the refusal that is smaller than the call, if it is about the number of texts. */
function hintIn({ texts }: CallSize, said: string): number | undefined {
  if (!ABOUT_COUNT.test(said)) return undefined;
  const numbers = [...said.matchAll(/(?<![\w.-])\d{1,4}(?![\w.]*\w)/g)].map(([number]) => Number(number));
  const fitting = numbers.filter((number) => number >= 1 && number < texts);
  // If there are several numbers, they are more likely positions, codes or token counts.
  return new Set(fitting).size === 1 ? fitting[0] : undefined;
}

/** Tracks a limit between the largest accepted and the smallest refused size. */
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

/** Limits the calls in flight: unlimited until some time out, then half of those in flight. */
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
    /** Ignores calls that began before the last timeout, which add no information. */
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
