import { TextInput } from '@mantine/core';
import { type FullText, LANGUAGES, type Language } from '../../contract/full-text.ts';
import { Choice, type Option } from '../ui/choice.tsx';
import { KEEP } from './keep.ts';

type Use = typeof KEEP | 'none' | 'words';

/** The draft of the full text of an index. */
export interface FullTextDraft {
  use: Use;
  language: Language;
  languageField: string;
}

export const emptyFullText = (use: Use): FullTextDraft => ({ use, language: 'english', languageField: '' });

/** Converts a draft to the full text that is sent: null for none, undefined to keep the source's. */
export function fullTextOf({ use, language, languageField }: FullTextDraft): FullText | null | undefined {
  if (use === KEEP) return undefined;
  return use === 'none' ? null : { language, ...(languageField && { languageField }) };
}

const USES: Option<Use>[] = [
  { value: 'none', label: 'no: searches by meaning only' },
  { value: 'words', label: 'yes: also by words, or by both' },
];
const LANGUAGE_OPTIONS = (Object.keys(LANGUAGES) as Language[]).map((value) => ({
  value,
  label: value === 'simple' ? 'none: words as they are' : `${value.charAt(0).toUpperCase()}${value.slice(1)}`,
}));

interface FullTextFieldsProps {
  fullText: FullTextDraft;
  onChange: (fullText: FullTextDraft) => void;
  errorOf: (path: string) => string | undefined;
  /** Whether that of the source can be kept. */
  hasSame?: boolean;
}

/** Whether an index also keeps the words of its texts, and in which language. */
export function FullTextFields({ fullText, onChange, errorOf, hasSame = false }: FullTextFieldsProps) {
  const set = (change: Partial<FullTextDraft>) => onChange({ ...fullText, ...change });
  return (
    <>
      <Choice
        label="Search by words"
        options={hasSame ? [{ value: KEEP, label: 'as in the source' }, ...USES] : USES}
        value={fullText.use}
        onChange={(use) => set({ use })}
      />
      {fullText.use === 'words' && (
        <>
          <Choice
            label="Language of the texts"
            options={LANGUAGE_OPTIONS}
            value={fullText.language}
            onChange={(language) => set({ language })}
            error={errorOf('language')}
          />
          <TextInput
            label="Metadata field with the language"
            description="If the texts have several; may be empty"
            value={fullText.languageField}
            onChange={(event) => set({ languageField: event.currentTarget.value })}
            error={errorOf('languageField')}
            spellCheck={false}
          />
        </>
      )}
    </>
  );
}
