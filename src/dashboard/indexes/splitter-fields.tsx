import { Autocomplete, NumberInput, TextInput } from '@mantine/core';
import type { IndexConfigInput } from '../../contract/indexes.ts';
import { BUILT_IN_TOKENIZERS, FORMATS, splitterSchema, type TextFormat } from '../../contract/splitter.ts';
import { Choice, type Option } from '../ui/choice.tsx';
import { KEEP } from './keep.ts';

type By = typeof KEEP | 'characters' | 'tokens';

/** The draft of a splitter; empty fields use the defaults. */
export interface SplitterDraft {
  by: By;
  size: number | string;
  overlap: number | string;
  format: TextFormat;
  /** Field of the metadata that names the format; empty: none. */
  formatField: string;
  /** Name of what counts tokens. */
  tokenizer: string;
  /** Paths of the fields to embed, separated by commas. */
  fields: string;
}

const TOKENS = 460;
const { chunkSize, chunkOverlap } = splitterSchema.parse({});
/** Defaults of each way, which are filled in. */
const SIZES: Record<By, Pick<SplitterDraft, 'size' | 'overlap'>> = {
  [KEEP]: { size: '', overlap: '' },
  characters: { size: chunkSize ?? '', overlap: chunkOverlap ?? '' },
  tokens: { size: TOKENS, overlap: splitterSchema.parse({ chunkTokens: TOKENS }).overlapTokens ?? '' },
};

export const emptySplitter = (by: By): SplitterDraft => ({
  by,
  ...SIZES[by],
  format: 'text',
  formatField: '',
  tokenizer: '',
  fields: '',
});

/** Converts a draft to the splitter that is sent; undefined to keep the source's. */
export function splitterOf({
  by,
  size,
  overlap,
  format,
  formatField,
  tokenizer,
  fields,
}: SplitterDraft): IndexConfigInput['splitter'] {
  const [given, shared] = [size === '' ? undefined : Number(size), overlap === '' ? undefined : Number(overlap)];
  if (by === KEEP) return undefined;
  const paths = fields.split(',').flatMap((path) => path.trim() || []);
  const only = paths.length === 0 ? {} : { fields: paths };
  if (by === 'characters') return { chunkSize: given, chunkOverlap: shared, ...only };
  const counted = tokenizer.trim() === '' ? {} : { tokenizer: tokenizer.trim() };
  const named = formatField.trim() === '' ? {} : { formatField: formatField.trim() };
  return { chunkTokens: given ?? TOKENS, overlapTokens: shared, format, ...named, ...counted, ...only };
}

const BY: Option<By>[] = [
  { value: 'characters', label: 'characters' },
  { value: 'tokens', label: 'tokens, as the model counts' },
];
const FORMAT_NAMES: Record<TextFormat, string> = {
  text: 'plain text',
  markdown: 'Markdown',
  html: 'HTML',
  code: 'source code',
};

interface SplitterFieldsProps {
  splitter: SplitterDraft;
  onChange: (splitter: SplitterDraft) => void;
  errorOf: (path: string) => string | undefined;
  /** Whether that of the source can be kept. */
  hasSame?: boolean;
}

export function SplitterFields({ splitter, onChange, errorOf, hasSame = false }: SplitterFieldsProps) {
  const set = (change: Partial<SplitterDraft>) => onChange({ ...splitter, ...change });
  const byTokens = splitter.by === 'tokens';
  return (
    <>
      <Choice
        label="Split texts by"
        options={hasSame ? [{ value: KEEP, label: 'as in the source' }, ...BY] : BY}
        value={splitter.by}
        onChange={(by) => onChange({ ...splitter, ...emptySplitter(by) })}
      />
      {byTokens && (
        <>
          <Choice
            label="Format of the texts"
            options={FORMATS.map((value) => ({ value, label: FORMAT_NAMES[value] }))}
            value={splitter.format}
            onChange={(format) => set({ format })}
          />
          <TextInput
            label="Field with the format"
            description="Of the metadata, such as type, for objects of several formats; empty: none"
            value={splitter.formatField}
            onChange={(event) => set({ formatField: event.currentTarget.value })}
            error={errorOf('formatField')}
            spellCheck={false}
          />
        </>
      )}
      {splitter.by !== KEEP && (
        <>
          <NumberInput
            label={byTokens ? 'Tokens of a part' : 'Characters of a part'}
            allowDecimal={false}
            thousandSeparator=","
            value={splitter.size}
            onChange={(size) => set({ size })}
            error={errorOf(byTokens ? 'chunkTokens' : 'chunkSize')}
          />
          <NumberInput
            label="Shared with the part before"
            allowDecimal={false}
            thousandSeparator=","
            value={splitter.overlap}
            onChange={(overlap) => set({ overlap })}
            error={errorOf(byTokens ? 'overlapTokens' : 'chunkOverlap')}
          />
          {byTokens && (
            <Autocomplete
              size="xs"
              label="Tokenizer"
              description="What counts the tokens, such as a file in REEMBED_TOKENIZER_DIR; empty: by the model"
              data={[...BUILT_IN_TOKENIZERS]}
              value={splitter.tokenizer}
              onChange={(tokenizer) => set({ tokenizer })}
              error={errorOf('tokenizer')}
              spellCheck={false}
            />
          )}
          <TextInput
            label="Embedded fields"
            description="Of payloads that are JSON, such as title, body.text; empty: all texts"
            value={splitter.fields}
            onChange={(event) => set({ fields: event.currentTarget.value })}
            error={errorOf('fields')}
            spellCheck={false}
          />
        </>
      )}
    </>
  );
}
