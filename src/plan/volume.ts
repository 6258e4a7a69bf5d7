import type { Basis, Figure, ReindexPlan } from '../contract/plan.ts';
import { windowOf } from '../models/windows.ts';
import type { CheckedPair } from '../store/protocol/check-pair.ts';
import { exact, figure, unknown, weakest } from './figures.ts';
import type { Probe } from './probe.ts';
import { haveSameSplitter, type Sample, type SampledText } from './sample.ts';

/** Counts of an index, exact or by Postgres's statistics. */
export interface Counts {
  objects: number;
  parts: number;
  failed: number;
  tombstones: number;
  estimated: boolean;
}

export interface VolumeInput {
  pair: CheckedPair;
  counts: Counts;
  sample: Sample;
  probe: Probe | null;
}

export type Volume = Pick<
  ReindexPlan,
  'objects' | 'copied' | 'reused' | 'failing' | 'parts' | 'reusedTexts' | 'tokens' | 'longTexts' | 'longest' | 'window'
>;

/** English has about four bytes per token. */
const BYTES_PER_TOKEN = 4;
const MAX_LONGEST = 5;

/** Extrapolates the sample to the whole source. */
export function volumeOf(input: VolumeInput): Volume {
  const { counts, sample, pair } = input;
  const objects = objectsOf(counts);
  const copied =
    pair.dest === null
      ? { ...objects, from: `${objects.from}; the destination does not exist yet` }
      : ofSample(input, sample.copies.length, 'objects that the destination lacks or has older');
  const parts = partsOf(input);
  const { ofText, tokens } = tokensOf(input, parts);
  return {
    objects,
    copied,
    reused:
      pair.dest === null
        ? exact(0, 'the destination does not exist yet')
        : ofSample(input, sample.reused, 'objects whose content has not changed'),
    failing: ofSample(input, sample.failing, 'objects without a text that the model can embed'),
    parts,
    reusedTexts: ofSample(input, sample.takenOver.texts, 'texts with the same model in stored parts of the object'),
    tokens,
    ...longTextsOf(input, parts, ofText),
  };
}

function objectsOf({ objects, estimated }: Counts): Figure {
  return estimated
    ? figure(objects, 'estimated', 'statistics of Postgres, since counting takes too long')
    : exact(objects, 'a count');
}

/** Extrapolates a count of sampled objects. */
function ofSample({ counts, sample }: VolumeInput, count: number, what: string): Figure {
  if (sample.isWhole) return exact(count, `${what}, among all ${sample.objects}`);
  const value = sample.objects === 0 ? 0 : Math.round((counts.objects * count) / sample.objects);
  const basis = weakest('sampled', counts.estimated ? 'estimated' : 'exact');
  return figure(value, basis, `${what}, among ${sample.objects} sampled`);
}

function partsOf(input: VolumeInput): Figure {
  const { pair, counts, sample } = input;
  const toEmbed = sample.copies.reduce((sum, texts) => sum + texts.length, 0);
  if (sample.isWhole) return exact(toEmbed, `all ${sample.objects} objects, split as the destination does`);
  const isSame = haveSameSplitter(pair);
  const counted: Basis = counts.estimated ? 'estimated' : 'exact';
  const isEverything =
    sample.copies.length === sample.objects &&
    sample.reused + sample.failing + sample.unread + sample.takenOver.texts === 0;
  if (isSame && isEverything && pair.dest === null && !pair.source.average && counts.failed === 0) {
    return figure(counts.parts, counted, 'the parts of the source, since the splitter is the same');
  }
  const basis = weakest('sampled', counted);
  if (isSame && !pair.source.average && sample.sourceParts > 0) {
    const value = Math.round((counts.parts * toEmbed) / sample.sourceParts);
    return figure(value, basis, `the parts of the source, and ${sample.objects} sampled objects`);
  }
  // An object that could not be loaded counts as one of the others.
  const read = sample.objects - sample.unread;
  const value = read === 0 ? 0 : Math.round((counts.objects * toEmbed) / read);
  return figure(value, basis, `${sample.objects} sampled objects, split as the destination does`);
}

interface Tokens {
  tokens: Figure;
  /** Returns the tokens of one text. */
  ofText: (text: SampledText) => number;
}

function tokensOf({ sample, probe }: VolumeInput, parts: Figure): Tokens {
  const texts = sample.copies.flat();
  const of = (basis: Basis, ofText: Tokens['ofText'], how: string): Tokens => {
    const sum = texts.reduce((total, text) => total + ofText(text), 0);
    const mean = texts.length === 0 ? 0 : sum / texts.length;
    const value = Math.round((parts.value ?? 0) * mean);
    return { ofText, tokens: figure(value, weakest(basis, parts.basis ?? 'estimated'), how) };
  };
  if (texts.length === 0) return of('exact', () => 0, 'there is no text to embed');
  if (texts.every(({ tokens }) => tokens !== null)) {
    const basis = sample.isWhole ? 'exact' : 'sampled';
    return of(basis, ({ tokens }) => tokens ?? 0, `the tokenizer of the model, on ${texts.length} texts`);
  }
  if (probe && probe.tokens !== null && probe.chars > 0) {
    const perChar = probe.tokens / probe.chars;
    const how = `${probe.tokens} tokens that the provider counted for ${probe.texts} texts, and the lengths of ${texts.length}`;
    return of('sampled', ({ chars }) => chars * perChar, how);
  }
  const chars = texts.reduce((total, text) => total + text.chars, 0);
  const perChar = sample.textBytes / Math.max(1, chars) / BYTES_PER_TOKEN;
  const why = probe ? 'the provider does not count tokens' : 'no call was made';
  return of('estimated', (text) => text.chars * perChar, `${BYTES_PER_TOKEN} bytes per token: ${why}`);
}

function longTextsOf(
  { pair, sample }: VolumeInput,
  parts: Figure,
  ofText: Tokens['ofText'],
): Pick<Volume, 'longTexts' | 'longest' | 'window'> {
  const { model } = pair.config;
  const window = windowOf(model);
  if (window === undefined) {
    return { longTexts: unknown(`the window of ${model.name} is not known`), longest: [], window: null };
  }
  if (window === Number.POSITIVE_INFINITY) {
    return { longTexts: exact(0, 'the model reads texts of any length'), longest: [], window: null };
  }
  const texts = sample.copies.flat();
  const long = texts
    .map((text) => ({ id: text.id, tokens: Math.round(ofText(text)) }))
    .filter(({ tokens }) => tokens > window);
  const value = texts.length === 0 ? 0 : Math.round(((parts.value ?? 0) * long.length) / texts.length);
  const isExact = sample.isWhole && texts.every(({ tokens }) => tokens !== null);
  return {
    longTexts: figure(value, isExact ? 'exact' : 'sampled', `${texts.length} texts and a window of ${window} tokens`),
    longest: long.sort((left, right) => right.tokens - left.tokens).slice(0, MAX_LONGEST),
    window,
  };
}
