import { NativeSelect, NumberInput, SimpleGrid } from '@mantine/core';
import type { IndexConfigInput } from '../../contract/indexes.ts';
import { FORMATS, formatSchema } from '../../contract/splitter.ts';

/** The draft of a splitter; empty fields use the defaults. */
export interface SplitterDraft {
  by: 'characters' | 'tokens';
  size: number | string;
  overlap: number | string;
  format: string;
}

export const emptySplitter: SplitterDraft = { by: 'characters', size: '', overlap: '', format: 'text' };

/** Converts a draft to the splitter that is sent. */
export function splitterOf({ by, size, overlap, format }: SplitterDraft): NonNullable<IndexConfigInput['splitter']> {
  const [given, shared] = [size === '' ? undefined : Number(size), overlap === '' ? undefined : Number(overlap)];
  if (by === 'characters') return { chunkSize: given, chunkOverlap: shared };
  return { chunkTokens: given ?? DEFAULT_TOKENS, overlapTokens: shared, format: formatSchema.parse(format) };
}

const DEFAULT_TOKENS = 460;

interface SplitterFieldsProps {
  splitter: SplitterDraft;
  onChange: (splitter: SplitterDraft) => void;
  errorOf: (path: string) => string | undefined;
}

export function SplitterFields({ splitter, onChange, errorOf }: SplitterFieldsProps) {
  const set = (change: Partial<SplitterDraft>) => onChange({ ...splitter, ...change });
  const byTokens = splitter.by === 'tokens';
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs">
      <NativeSelect
        size="xs"
        label="Split texts by"
        data={['characters', 'tokens']}
        value={splitter.by}
        onChange={(event) =>
          set({ by: event.currentTarget.value === 'tokens' ? 'tokens' : 'characters', size: '', overlap: '' })
        }
      />
      {byTokens && (
        <NativeSelect
          size="xs"
          label="Format of the texts"
          data={[...FORMATS]}
          value={splitter.format}
          onChange={(event) => set({ format: event.currentTarget.value })}
        />
      )}
      <NumberInput
        label={byTokens ? 'Tokens of a part' : 'Characters of a part'}
        placeholder={byTokens ? String(DEFAULT_TOKENS) : '2000'}
        allowDecimal={false}
        value={splitter.size}
        onChange={(size) => set({ size })}
        error={errorOf(byTokens ? 'chunkTokens' : 'chunkSize')}
      />
      <NumberInput
        label="Shared with the part before"
        placeholder={byTokens ? 'a tenth' : '200'}
        allowDecimal={false}
        value={splitter.overlap}
        onChange={(overlap) => set({ overlap })}
        error={errorOf(byTokens ? 'overlapTokens' : 'chunkOverlap') ?? errorOf('tokenizer')}
      />
    </SimpleGrid>
  );
}
