import vm from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeJsonError } from '../../src/api/json-error.ts';

/** V8's error, which has a position only for some mistakes. */
function mistake(text: string): Error | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** Ends a call that blocks, which a timer of the test cannot do. */
function within(ms: number, work: () => unknown): unknown {
  return vm.runInNewContext('work()', { work }, { timeout: ms });
}

describe('the place where a text stops being JSON', () => {
  it.each([
    ['{"text": x}', 'unexpected character at line 1 column 10'],
    ['[1,\n 2,]', 'unexpected character at line 2 column 4'],
    ['[,1]', 'unexpected character at line 1 column 2'],
    ['{"a" "b"}', 'unexpected character at line 1 column 6'],
    ['{"a": tru}', 'unexpected character at line 1 column 7'],
    ['[1, -]', 'unexpected character at line 1 column 6'],
    ['tru', 'it ends too early'],
  ])('is reported for %j', (text, where) => {
    expect(describeJsonError(text, mistake(text))).toBe(where);
  });

  it('is reported without the text itself, whatever the text is', () => {
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', '"', ']', '\\', 'x', '\u0001', ',', '1e', '-'),
        (json, at, put) => {
          const cut = at % (json.length + 1);
          const text = json.slice(0, cut) + put + json.slice(cut + 1);
          const error = mistake(text);
          if (error === undefined) return;
          expect(describeJsonError(text, error)).toMatch(
            /^(it ends too early|it could not be parsed|unexpected character at line \d+ column \d+)$/,
          );
        },
      ),
    );
  });

  it.each([
    ['an unclosed text', `]"${'a'.repeat(60)}`],
    ['a long unclosed text', `]"${'a'.repeat(900_000)}`],
    ['escapes without an end', `]"${'\\'.repeat(900_000)}`],
    ['escaped quotes', `]"${'\\"'.repeat(400_000)}`],
    ['white space', `${' '.repeat(900_000)}x`],
    ['digits', `[${'1'.repeat(900_000)}x`],
    ['exponents', `[${'1e'.repeat(400_000)}`],
    ['minus signs', '-'.repeat(900_000)],
    ['brackets', `${'['.repeat(900_000)}x`],
    ['commas', `[${','.repeat(900_000)}`],
  ])('is found in one pass over %s', (_what, text) => {
    const error = new SyntaxError('Unexpected token');
    expect(within(5_000, () => describeJsonError(text, error))).toBeTypeOf('string');
  });
});
