import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { closest } from './spelling.ts';

/** Tokenizers that need no file. */
export const BUILT_IN_TOKENIZERS = ['estimate', 'cl100k_base'] as const;

const tokenizerName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, dot, dash and underscore, starting with a letter or digit')
  .meta({ examples: ['cl100k_base', 'multilingual-e5-small'] });

export const FORMATS = ['text', 'markdown', 'html', 'code'] as const;
export const formatSchema = z.enum(FORMATS);
export type TextFormat = z.output<typeof formatSchema>;

/** Characters of the path of a field. */
const MAX_PATH_CHARS = 500;

const DEFAULT_CHUNK_SIZE = 2_000;
const DEFAULT_CHUNK_OVERLAP = 200;

const fields = {
  chunkSize: z
    .int()
    .min(50)
    .max(100_000)
    .optional()
    .describe(`Maximum characters of one part; default: ${DEFAULT_CHUNK_SIZE}, unless \`chunkTokens\` is given.`),
  chunkOverlap: z
    .int()
    .min(0)
    .max(10_000)
    .optional()
    .describe(
      `Characters that a part shares with the previous part: at most half of \`chunkSize\`; default: ${DEFAULT_CHUNK_OVERLAP}.`,
    ),
  chunkTokens: z
    .int()
    .min(32)
    .max(100_000)
    .optional()
    .describe(
      'Maximum tokens of one part, in place of `chunkSize`: as the model reads it, with `documentPrefix` and the tokens that its tokenizer adds to each text. At most the window of the model.',
    ),
  overlapTokens: z
    .int()
    .min(0)
    .max(50_000)
    .optional()
    .describe(
      'Tokens that a part shares with the previous part: at most half of `chunkTokens`; default: a tenth of it.',
    ),
  tokenizer: tokenizerName
    .optional()
    .describe(
      "What counts tokens: `cl100k_base` (OpenAI), the name of a file in REEMBED_TOKENIZER_DIR, or `estimate`, which counts too many. Default: `cl100k_base` for OpenAI's models, otherwise `estimate`.",
    ),
  format: formatSchema
    .optional()
    .describe(
      'How `chunkTokens` finds places to cut; default: `text`. Lists, tables and code blocks stay whole if they fit.',
    ),
  formatField: z
    .string()
    .min(1)
    .max(LIMITS.nameChars)
    .optional()
    .describe(
      'Field of the metadata that names the format of an object, such as `markdown`, `md` or `text/html`; objects without a known one have `format`. Needs `chunkTokens`.',
    ),
  fields: z
    .array(z.string().min(1).max(MAX_PATH_CHARS))
    .max(100)
    .optional()
    .describe('Text fields of a JSON payload to embed, as dotted paths; default: all.'),
};

export const splitterSchema = z
  .strictObject(fields)
  .describe('How long texts are split into parts: by characters, or by tokens if `chunkTokens` is given.')
  .overwrite(withDefaults)
  .superRefine((splitter, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const { chunkSize, chunkOverlap, chunkTokens, overlapTokens, tokenizer, format } = splitter;
    if (chunkTokens !== undefined) {
      for (const path of ['chunkSize', 'chunkOverlap'] as const) {
        if (splitter[path] !== undefined) issue(path, 'must not be given together with chunkTokens');
      }
      if ((overlapTokens ?? 0) > chunkTokens / 2) issue('overlapTokens', 'must be at most half of chunkTokens');
    } else {
      if ((chunkOverlap ?? 0) > (chunkSize ?? 0) / 2) issue('chunkOverlap', 'must be at most half of chunkSize');
      if (overlapTokens !== undefined) issue('overlapTokens', 'needs chunkTokens');
      if (format !== undefined) issue('format', 'needs chunkTokens');
      if (splitter.formatField !== undefined) issue('formatField', 'needs chunkTokens');
    }
    if (tokenizer === undefined || (BUILT_IN_TOKENIZERS as readonly string[]).includes(tokenizer)) return;
    const meant = closest(tokenizer.toLowerCase(), BUILT_IN_TOKENIZERS);
    if (meant !== undefined) issue('tokenizer', `did you mean ${meant}?`);
  });
/**
 * How long texts are split. By tokens if `chunkTokens` is there, with `overlapTokens`; otherwise by characters, with
 * `chunkSize` and `chunkOverlap`.
 */
export type Splitter = z.output<typeof splitterSchema>;

function withDefaults<T extends z.output<z.ZodObject<typeof fields>>>(splitter: T): T {
  if (splitter.chunkTokens !== undefined) {
    return { ...splitter, overlapTokens: splitter.overlapTokens ?? Math.floor(splitter.chunkTokens / 10) };
  }
  const { chunkSize = DEFAULT_CHUNK_SIZE, chunkOverlap = DEFAULT_CHUNK_OVERLAP } = splitter;
  return { ...splitter, chunkSize, chunkOverlap };
}

/** Formats by other names: endings of files and media types. */
const FORMAT_NAMES = new Map<string, TextFormat>([
  ...FORMATS.map((format) => [format, format] as const),
  ...['txt', 'plain', 'text/plain'].map((name) => [name, 'text'] as const),
  ...['md', 'mdx', 'text/markdown'].map((name) => [name, 'markdown'] as const),
  ...['htm', 'xhtml', 'text/html', 'application/xhtml+xml'].map((name) => [name, 'html'] as const),
]);

/** Returns the format of an object: the one that its metadata names, such as `md`, `.md` or `Text/HTML; charset=utf-8`. */
export function formatOf(
  { format, formatField }: Pick<Splitter, 'format' | 'formatField'>,
  metadata: Readonly<Record<string, unknown>>,
): TextFormat | undefined {
  if (formatField === undefined || !Object.hasOwn(metadata, formatField)) return format;
  const named = metadata[formatField];
  if (typeof named !== 'string') return format;
  const [name = ''] = named.toLowerCase().split(';');
  return FORMAT_NAMES.get(name.trim().replace(/^\./, '')) ?? format;
}

/** Describes the size of parts, such as `2000 characters, 200 shared`. */
export function partsText(splitter: Splitter): string {
  const { chunkSize, chunkOverlap, chunkTokens, overlapTokens, format, formatField } = splitter;
  if (chunkTokens === undefined) return `${chunkSize} characters, ${chunkOverlap} shared`;
  const as = formatField ? `, as ${formatField} of the metadata says` : format ? `, as ${format}` : '';
  return `${chunkTokens} tokens, ${overlapTokens} shared${as}`;
}

/** OpenAI's models whose vectors are made from tokens of cl100k_base. */
const OF_OPENAI = /^(?:openai\/)?text-embedding-(?:3-(?:small|large)|ada-002)$/;

/** Returns the tokenizer of an index: the one that it names, or the default of its model. */
export function tokenizerNameOf(splitter: Splitter, model: { name: string }): string {
  return splitter.tokenizer ?? (OF_OPENAI.test(model.name) ? 'cl100k_base' : 'estimate');
}
