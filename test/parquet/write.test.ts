import fc from 'fast-check';
import { expect, test } from 'vitest';
import { storageProblem } from '../../src/contract/json.ts';
import { encodeVector } from '../../src/contract/ready-parts.ts';
import { GROUP_BYTES } from '../../src/parquet/write.ts';
import { exported, fileOf, piecesOf, read, withBits, write } from './support.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 10 });
const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
const key = fc.oneof(text, fc.constant('__proto__'));
const isStorable = (value: unknown) => storageProblem(value) === undefined;
const json = fc.oneof(text, fc.dictionary(key, fc.jsonValue())).filter(isStorable);
const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(1e21)).filter(isStorable);
const vector = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 5 });
const object = fc.record({
  id: text.map((id) => `\ufeff${id}`),
  version: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  payload: orNull(json),
  metadata: fc.dictionary(key, fc.oneof(text, number)),
  originalId: orNull(text),
  uri: orNull(text),
  failed: fc.boolean(),
  parts: fc.array(
    fc.record({ start: orNull(fc.nat()), end: orNull(fc.nat()), text: orNull(text), vector: vector.map(encodeVector) }),
    { maxLength: 4 },
  ),
});

test('a file has what was written: texts, JSON, nulls, and the bits of the vectors', async () => {
  const file = fileOf('any.parquet');
  await fc.assert(
    fc.asyncProperty(fc.array(object, { maxLength: 20 }), async (objects) => {
      await write(file, objects as never);
      const asJson = JSON.parse(JSON.stringify(objects.map((one) => withBits(one as never))));
      expect(await read(file)).toEqual(asJson);
    }),
    { numRuns: 20 },
  );
});

test('a negative zero and the smallest and largest numbers keep their bits', async () => {
  const numbers = [0, -0, 1.401298464324817e-45, 3.4028234663852886e38, -0.1, 1 / 3];
  const given = exported('a', { parts: [{ start: null, end: null, text: null, vector: encodeVector(numbers) }] });
  await write(fileOf('bits.parquet'), [given, given]);
  expect(await read(fileOf('bits.parquet'))).toEqual([withBits(given), withBits(given)]);
});

test('row groups are bounded by the bytes of the objects, and a larger object is one of its own', async () => {
  const large = (id: string, bytes: number) => exported(id, { payload: 'x'.repeat(bytes), parts: [] });
  const sizes = [0.6, 0.6, 0.3, 1.5, 0.1].map((share) => Math.floor(share * GROUP_BYTES));
  const pieces = await piecesOf(sizes.map((bytes, at) => large(`o${at}`, bytes)));
  const groups = pieces.flatMap(({ written }) => (written ? [written] : []));
  expect(groups.map(({ lastId, objects }) => [lastId, objects])).toEqual([
    ['o0', 1],
    ['o2', 2],
    ['o3', 1],
    ['o4', 1],
  ]);
});

test('an object with more numbers than an import takes is refused with its id', async () => {
  const vector = encodeVector(new Float32Array(16_000).fill(1));
  const parts = Array.from({ length: 251 }, () => ({ start: null, end: null, text: null, vector }));
  await expect(piecesOf([exported('a'), exported('big', { parts })])).rejects.toMatchObject({
    type: 'TooLarge',
    message: expect.stringMatching(/^"big" has 4016000 numbers .*: export it as NDJSON$/),
  });
});
