import { describe, expect, it } from 'vitest';
import { fullTextSchema, languageOf } from '../../src/contract/full-text.ts';

describe('the language of an object', () => {
  const fullText = fullTextSchema.parse({ language: 'english', languageField: 'lang' });

  it.each([
    ['de', 'german'],
    ['DE-at', 'german'],
    ['pt_BR', 'portuguese'],
    ['French', 'french'],
    ['none', 'simple'],
    ['klingon', 'english'],
    ['', 'english'],
    [7, 'english'],
  ])('named %j is %s', (lang, language) => {
    expect(languageOf(fullText, { lang })).toBe(language);
  });

  it('is that of the index without the field', () => {
    expect(languageOf(fullText, {})).toBe('english');
    expect(languageOf({ language: 'dutch' }, { lang: 'de' })).toBe('dutch');
  });

  it('is never looked up in a prototype', () => {
    expect(languageOf({ language: 'dutch', languageField: 'constructor' }, {})).toBe('dutch');
    expect(languageOf(fullText, { lang: 'toString' })).toBe('english');
  });
});
