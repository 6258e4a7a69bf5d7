import { originalOf, type WrittenItem } from './oracle.ts';
import type { Random } from './random.ts';

const WORDS =
  'river stone lantern quiet harbor copper meadow winter signal garden velvet thunder paper orchard compass ember'.split(
    ' ',
  );
const HOT = 300;
const FAMILIES = 40;

/** The initial objects, so that a rebuild takes long enough to be attacked. */
export function* corpus(random: Random, objects: number): Generator<WrittenItem> {
  for (let at = 0; at < objects; at++) {
    const id = baseId(at);
    yield { id, payload: textOf(random, `base ${id}`), metadata: { base: true } };
  }
}

function baseId(at: number): string {
  return `base-${String(at).padStart(5, '0')}`;
}

/** Texts of one client: none occurs twice, unless an object is written again with the same text. */
export class Author {
  private readonly random: Random;
  private readonly client: string;
  private readonly objects: number;
  private readonly texts = new Map<string, unknown>();
  private serial = 0;

  constructor(random: Random, client: string, objects: number) {
    this.random = random;
    this.client = client;
    this.objects = objects;
  }

  ids(count: number): string[] {
    const ids = new Set<string>();
    while (ids.size < count) ids.add(this.id());
    return [...ids];
  }

  item(id: string): WrittenItem {
    const { random } = this;
    const mark = `${this.client} ${++this.serial}`;
    const known = this.texts.get(id);
    const payload = known !== undefined && random.chance(0.15) ? known : this.payload(mark);
    this.texts.set(id, payload);
    const originalId = originalOf(id);
    return { id, payload, metadata: { by: mark }, ...(originalId !== undefined && { originalId }) };
  }

  private payload(mark: string): unknown {
    const text = textOf(this.random, mark);
    return this.random.chance(0.15) ? { title: mark, body: text } : text;
  }

  private id(): string {
    const { random } = this;
    switch (random.weighted({ hot: 50, base: 20, original: 10, derived: 14, grandchild: 6 })) {
      case 'hot':
        return `hot-${random.below(HOT)}`;
      case 'base':
        return baseId(random.below(this.objects));
      case 'original':
        return `fam-${random.below(FAMILIES)}`;
      case 'derived':
        return `fam-${random.below(FAMILIES)}/d${random.below(3)}`;
      default:
        return `fam-${random.below(FAMILIES)}/d${random.below(3)}/g${random.below(2)}`;
    }
  }
}

/** Returns a few words up to a few parts of text, and occasionally a long document of hundreds of parts. */
function textOf(random: Random, mark: string): string {
  const words = [mark];
  const size = random.weighted({ short: 79, some: 20, long: 1 });
  const count =
    size === 'short' ? 4 + random.below(16) : size === 'some' ? 60 + random.below(60) : 600 + random.below(3_000);
  for (let at = 0; at < count; at++) words.push(random.pick(WORDS));
  return words.join(' ');
}
