import { TextEnds } from './text-ends.ts';

type Key = string | number;

/** A container on the path to a place, with the index in an array or the last key of an object. */
interface Step {
  isArray: boolean;
  key: Key;
  /** Keys so far, for an object. */
  keys?: Set<string>;
  /** For an object: a key follows, not a value. */
  expectsKey: boolean;
}

/** Returns the path of the value at an offset, or of its container. Only for errors: it is a slow second pass. */
export function pathAt(bytes: Uint8Array, offset: number): Key[] {
  const steps: Step[] = [];
  walk(bytes, steps, offset, () => false);
  return pathOf(steps);
}

/** Returns the path of the first field that occurs twice in its object. */
export function repeatedField(bytes: Uint8Array): Key[] | undefined {
  const steps: Step[] = [];
  const isRepeated = (step: Step, key: string) => {
    step.keys ??= new Set();
    if (step.keys.has(key)) return true;
    step.keys.add(key);
    return false;
  };
  return walk(bytes, steps, bytes.length, isRepeated) ? pathOf(steps) : undefined;
}

/** Walks valid JSON up to an offset; stops early with true at a key for which `isEnd` is true. */
function walk(bytes: Uint8Array, steps: Step[], until: number, isEnd: (step: Step, key: string) => boolean): boolean {
  const ends = new TextEnds(bytes);
  for (let at = 0; at < until; ) {
    const step = steps.at(-1);
    const char = String.fromCharCode(bytes[at] as number);
    if (char === '"') {
      const end = ends.after(at);
      if (step?.expectsKey) {
        const key = keyOf(bytes.subarray(at, end));
        step.key = key;
        step.expectsKey = false;
        if (isEnd(step, key)) return true;
      }
      at = Math.max(end, at + 1);
      continue;
    }
    if (char === '[') steps.push({ isArray: true, key: 0, expectsKey: false });
    else if (char === '{') steps.push({ isArray: false, key: '', expectsKey: true });
    else if (char === ']' || char === '}') steps.pop();
    else if (char === ',' && step) {
      if (step.isArray) step.key = (step.key as number) + 1;
      else step.expectsKey = true;
    }
    at += 1;
  }
  return false;
}

function pathOf(steps: readonly Step[]): Key[] {
  return steps.filter(({ isArray, key, expectsKey }) => isArray || key !== '' || !expectsKey).map(({ key }) => key);
}

function keyOf(quoted: Uint8Array): string {
  const text = new TextDecoder().decode(quoted);
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}
