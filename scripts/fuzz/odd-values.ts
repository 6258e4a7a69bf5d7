/** JSON texts of one value each: numbers no double holds, texts no text column accepts, unexpected shapes. */
export const ODD_JSON: readonly string[] = [
  ...[
    '9007199254740993',
    '-9007199254740993',
    '1e400',
    '-1e400',
    '1e-400',
    '-0',
    '0.1000000000000000055511151231257827',
  ],
  ...['1'.repeat(400), `0.${'3'.repeat(400)}`, '1E+2', '00', '+1', '.5', '5.', '0x10', 'NaN', 'Infinity', '1_000', '١'],
  ...[
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"\\udfff\\ud800"',
    '"\\uFFFE"',
    '"\\x41"',
    '"\\u12"',
    '"\u2028"',
    '"\ufeff"',
  ],
  ...[
    '"\u202e\u0645"',
    '"\u0301"',
    '"e\u0301"',
    '"\u{1f468}\u200d\u{1f469}"',
    '"%00"',
    '"../../etc"',
    '"\'; --"',
    '"{{a}}"',
  ],
  ...[
    '""',
    '" "',
    '"\\n"',
    '"\t"',
    '"a',
    `"${'x'.repeat(70_000)}"`,
    `"${'\\u0061'.repeat(10_000)}"`,
    '"NaN"',
    '"null"',
  ],
  ...['null', 'true', 'undefined', '[]', '{}', '[[]]', '[null]', '{"":""}', '{"a":1,"a":2}', '[1,]', '{"a":1,}', '[,]'],
  ...['{"__proto__":{"a":1}}', '{"constructor":{"prototype":{}}}', '{"toString":1}', '{"\\u0000":1}', '{"\\ud800":1}'],
  ...['// a\n1', '/* a */1', '1 2', "'a'", '['.repeat(5_000), `${'['.repeat(100)}${']'.repeat(100)}`],
  ...[`${'{"a":'.repeat(70)}1${'}'.repeat(70)}`, `[${'0,'.repeat(20_000)}0]`, `{${'"k":0,'.repeat(5_000)}"k":0}`],
];

const bytes = (...values: number[]) => Buffer.from(values);

/** Byte sequences that are invalid UTF-8, or that a reader may reject. */
export const ODD_BYTES: readonly Buffer[] = [
  bytes(0x00),
  bytes(0x80),
  bytes(0xc0, 0xaf), // overlong
  bytes(0xe0, 0x80, 0x80),
  bytes(0xed, 0xa0, 0x80), // half of a surrogate pair
  bytes(0xf0, 0x9f, 0x98), // truncated
  bytes(0xf4, 0x90, 0x80, 0x80), // beyond the last code point
  bytes(0xff, 0xfe),
  bytes(0xef, 0xbb, 0xbf),
  bytes(0xe2, 0x80, 0xa8),
  bytes(0x1b, 0x5d, 0x30, 0x3b, 0x07),
];

/** Values as they appear in a URL; some are not a valid encoding. */
export const ODD_PARAMETERS: readonly string[] = [
  ...[
    '',
    '%00',
    'a%00b',
    '%',
    '%zz',
    '%ff',
    '%c0%af',
    '%ed%a0%80',
    '%f0%9f%98%80',
    '%0d%0aX:1',
    '%1b%5d0%3b%07',
    '..',
    '%2e%2e%2f',
  ],
  ...[
    '__proto__',
    'constructor',
    'null',
    'undefined',
    'NaN',
    '-1',
    '0',
    '1e400',
    '9007199254740993',
    '0x10',
    '1.5',
    'true',
    '[]',
    '{}',
  ],
  ...['%27%3b--', '%25', '%2500', '*', '%EF%BB%BFa', '%E2%80%AE', '%CC%81', 'AA', '%3D%3D', 'eyJ9', 'x'.repeat(3_000)],
];

/** Header fields that misdescribe the body. */
export const ODD_HEADERS: readonly Record<string, string>[] = [
  { 'content-type': 'application/json; charset=utf-16' },
  { 'content-type': 'application/json; charset=latin1' },
  { 'content-type': 'application/json, application/json' },
  { 'content-type': 'text/plain' },
  { 'content-type': '' },
  { 'content-type': 'application/x-ndjson' },
  { 'content-encoding': 'gzip' },
  { 'content-encoding': 'identity, br' },
  { accept: 'nonsense' },
  { accept: 'text/event-stream;q=0' },
  { 'if-none-match': '"\u00e9", W/"', 'last-event-id': 'x'.repeat(500) },
];
