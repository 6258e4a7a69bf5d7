import { expect, test } from 'vitest';
import { partsOfCall } from '../../src/pipeline/parts-of-call.ts';

const texts = Array.from({ length: 16 }, (_, at) => `t${at}`);
const sizes = (parts: string[][]) => parts.map(({ length }) => length);

test.each([
  "Invalid 'input[3]': string too long",
  'The example at index 3 in your batch has too many tokens',
  'Input id 3 has 9000 tokens, exceeding max 8192 tokens.',
])('a text that the refusal names goes alone, and the others together: %s', (said) => {
  const parts = partsOfCall(texts, { isText: true, said });
  expect(sizes(parts)).toEqual([15, 1]);
  expect(parts[1]).toEqual(['t3']);
  expect(parts.flat().toSorted()).toEqual(texts.toSorted());
});

test.each([
  ['a reason that is not about a size', { isText: true, said: 'no' }, [4, 4, 4, 4]],
  ['a text that is not in the call', { isText: true, said: 'input[16] is bad' }, [4, 4, 4, 4]],
  ['a length', { isText: true, said: 'too many tokens' }, [8, 8]],
  ['a number of texts', { isText: true, said: 'no', hint: 6 }, [6, 6, 4]],
  ['a size that was never accepted, or a call that broke', { isText: false, said: 'down' }, [8, 8]],
])('the parts of a call that failed for %s keep all texts in order', (_why, why, expected) => {
  const parts = partsOfCall(texts, why);
  expect(sizes(parts)).toEqual(expected);
  expect(parts.flat()).toEqual(texts);
});
