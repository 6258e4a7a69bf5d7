import fc from 'fast-check';
import { encodeVector } from '../../src/contract/ready-parts.ts';

const float = fc.float({ noNaN: true, min: -100, max: 100 }).filter((value) => Math.abs(value) > 1e-6);
const vector = fc.tuple(float, float, float).map((numbers) => encodeVector(numbers));
const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .map((part) => `x${part}`.replaceAll('\0', ''));
const rest = {
  metadata: fc.dictionary(
    fc.constantFrom('a', 'b', '__proto__'),
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer()),
  ),
};
const item = fc.oneof(
  fc.record({ payload: fc.oneof(text, fc.record({ title: text, n: fc.integer() })), ...rest }),
  fc.record({ parts: fc.array(fc.record({ text, vector }), { minLength: 1, maxLength: 3 }), ...rest }),
  fc.record({ parts: fc.array(fc.record({ vector }), { minLength: 1, maxLength: 2 }), ...rest }),
  fc.record({
    payload: fc.record({ title: text }),
    uri: fc.webUrl(),
    parts: fc.record({ vector, start: fc.constant(0), end: fc.constant(1) }).map((part) => [part]),
    ...rest,
  }),
);

/** Items of every kind for an index with three dimensions, with different ids. */
export const items = fc
  .uniqueArray(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), item), {
    minLength: 1,
    maxLength: 15,
    selector: ([id]) => id,
  })
  .map((made) => made.map(([id, given]) => ({ id: `o${id.replaceAll('\0', '')}`, ...given })))
  .filter((made) => new Set(made.map(({ id }) => id)).size === made.length);
