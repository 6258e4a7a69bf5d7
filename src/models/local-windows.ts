/** A part of a text as the model reads it, with the marks of beginning and end. */
export interface Window {
  /** Place of its text in the call. */
  text: number;
  ids: number[];
}

/** Max. numbers of tokens that one run of the model reads, with the padding: bounds its memory. */
const RUN_TOKENS = 4_096;
const RUN_WINDOWS = 32;

/** Cuts the tokens of a text into windows of equal size, within what the model reads at once; at least one. */
export function windowsOf(
  text: number,
  tokens: readonly number[],
  max: number,
  marks: readonly [number, number],
): Window[] {
  const room = max - marks.length;
  const count = Math.max(1, Math.ceil(tokens.length / room));
  const size = Math.ceil(tokens.length / count);
  return Array.from({ length: count }, (_, at) => ({
    text,
    ids: [marks[0], ...tokens.slice(at * size, (at + 1) * size), marks[1]],
  }));
}

/** Groups windows into runs, those of similar length together: shorter ones are padded to the longest of a run. */
export function runsOf(windows: readonly Window[]): Window[][] {
  const runs: Window[][] = [];
  for (const window of windows.toSorted((left, right) => right.ids.length - left.ids.length)) {
    const last = runs.at(-1);
    // The first of a run is its longest.
    const fits = last && last.length < RUN_WINDOWS && (last.length + 1) * (last[0] as Window).ids.length <= RUN_TOKENS;
    if (fits) last.push(window);
    else runs.push([window]);
  }
  return runs;
}

/** Returns the vectors of texts: the averages of those of their windows, weighted by tokens, with length 1. */
export function averaged(
  texts: number,
  windows: readonly { window: Window; vector: Float32Array }[],
  dimensions: number,
): Float32Array {
  const sums = new Float32Array(texts * dimensions);
  for (const { window, vector } of windows) {
    const scale = window.ids.length / lengthOf(vector);
    for (let at = 0; at < dimensions; at++) {
      const place = window.text * dimensions + at;
      sums[place] = (sums[place] as number) + (vector[at] as number) * scale;
    }
  }
  for (let text = 0; text < texts; text++) {
    const sum = sums.subarray(text * dimensions, (text + 1) * dimensions);
    const length = lengthOf(sum);
    for (let at = 0; at < dimensions; at++) sum[at] = (sum[at] as number) / length;
  }
  return sums;
}

function lengthOf(vector: Float32Array): number {
  return Math.sqrt(vector.reduce((squares, value) => squares + value * value, 0)) || 1;
}
