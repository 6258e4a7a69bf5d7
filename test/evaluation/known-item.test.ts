import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pickSentence } from '../../src/evaluation/known-item.ts';

describe('the sentence of a known item', () => {
  test('occurs in the text, has a bounded length, and is the same for the same seed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 2_000 }), fc.string(), (text, seed) => {
        const picked = pickSentence(text, seed);
        expect(pickSentence(text, seed)).toBe(picked);
        if (picked === null) return;
        expect(picked.length).toBeLessThanOrEqual(300);
        expect(picked.isWellFormed()).toBe(true);
        expect(text.replaceAll(/\s+/g, ' ')).toContain(picked);
      }),
    );
  });

  test('is cut at the end of a sentence or a line', () => {
    const text = 'One sentence with enough text. Another one with enough text!\nA line without a full stop';
    const all = new Set(Array.from({ length: 50 }, (_, seed) => pickSentence(text, String(seed))));
    expect([...all].sort()).toEqual([
      'A line without a full stop',
      'Another one with enough text!',
      'One sentence with enough text.',
    ]);
  });

  test('is found in languages without spaces', () => {
    const text = 'データベースの移行は慎重に計画してください。新しいモデルを評価してから切り替えます。';
    expect(text).toContain(pickSentence(text, '1'));
  });

  test('is the beginning of a text that has no sentence of a fitting length', () => {
    expect(pickSentence('short', '1')).toBe('short');
    expect(pickSentence('x'.repeat(400), '1')).toBe('x'.repeat(300));
    expect(pickSentence(`x${'😀'.repeat(200)}`, '1')).toBe(`x${'😀'.repeat(149)}`);
    expect(pickSentence('a\ufffdb', '1')).toBe('a\ufffdb');
  });

  test.each(['', '   \n', '!!! --- ...'])('does not exist in a text without words: %j', (text) => {
    expect(pickSentence(text, '1')).toBeNull();
  });
});
