import { describe, expect, it } from 'vitest';
import { fields, jsonLine, oneLine, table, writeResult } from '../../src/cli/output.ts';
import { cleanColoured } from '../../src/contract/clean.ts';
import { createLogger } from '../../src/runtime/logging.ts';
import { readSettings } from '../../src/settings/settings.ts';

const COLOURS = /\p{Cc}\[\d+m/gu;
const EVIL = 'a\u001b]0;title\u0007b\u009b31mc\rd\u001b[2Je\u202ef\u007f';
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are searched for
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/;

describe('external text is printed without terminal escapes', () => {
  it('in tables, fields and lines', () => {
    const shown = [
      table([{ id: EVIL }], [{ title: 'ID', value: ({ id }) => id }], 'none'),
      fields([['id', `${EVIL}\nforged  line`]]),
      oneLine(EVIL),
    ];
    for (const text of shown) expect(text).not.toMatch(OBEYED);
    expect(shown[1]).not.toContain('\n');
  });

  it('in results, as text and as JSON, which keeps the values', () => {
    for (const json of [true, false]) {
      const pieces: string[] = [];
      const io = { out: (text: string) => pieces.push(text) } as never;
      writeResult(io, json, { id: EVIL }, () => EVIL);
      const out = pieces.join('');
      expect(out).not.toMatch(OBEYED);
      if (json) expect(JSON.parse(out)).toEqual({ id: EVIL });
    }
    expect(JSON.parse(jsonLine(EVIL))).toBe(EVIL);
  });

  it('beside colors, which stay', () => {
    const red = '\u001b[31mred\u001b[39m';
    expect(cleanColoured(red + EVIL).startsWith(`${red}a`)).toBe(true);
    expect(cleanColoured(EVIL).replace(COLOURS, '')).not.toMatch(OBEYED);
  });

  it.each([true, false])('in the log (on a terminal: %s)', (isTTY) => {
    const pieces: string[] = [];
    const target = { isTTY, write: (text: string) => pieces.push(text) };
    const log = createLogger(readSettings({}), target);
    log.warn({ path: EVIL, [EVIL]: 1, err: new Error(EVIL) }, EVIL);
    const written = pieces.join('');
    expect(written.replace(COLOURS, '')).not.toMatch(OBEYED);
    if (!isTTY) expect(JSON.parse(written)).toMatchObject({ path: EVIL, msg: EVIL });
  });
});
