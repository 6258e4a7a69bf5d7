import { NumberInput } from '@mantine/core';
import { HNSW_DEFAULTS, type Storage, type VectorIndexConfig } from '../../contract/vector-index.ts';
import { Choice, type Option } from '../ui/choice.tsx';
import { KEEP } from './keep.ts';

type Precision = NonNullable<VectorIndexConfig['precision']>;
type Kind = typeof KEEP | 'usual' | 'own' | 'none';

/** The draft of how vectors are stored and indexed. */
export interface VectorDraft {
  storage: typeof KEEP | Storage;
  kind: Kind;
  precision: 'auto' | Precision;
  dimensions: number | string;
  m: number | string;
  efConstruction: number | string;
}

const { m, efConstruction } = HNSW_DEFAULTS;

export const emptyVectors = (storage: VectorDraft['storage']): VectorDraft => ({
  ...{ storage, kind: storage === KEEP ? KEEP : 'usual', precision: 'auto' },
  ...{ dimensions: '', m, efConstruction },
});

export function storageOf({ storage }: VectorDraft): Storage | undefined {
  return storage === KEEP ? undefined : storage;
}

/** Converts a draft to the vector index that is sent: null for the usual one, undefined to keep the source's. */
export function vectorIndexOf(draft: VectorDraft): Partial<VectorIndexConfig> | null | undefined {
  const { kind, precision, dimensions } = draft;
  if (kind === KEEP) return undefined;
  if (kind === 'usual') return null;
  if (kind === 'none') return { kind };
  const numbers = (['m', 'efConstruction'] as const).filter((name) => draft[name] !== '');
  return {
    kind: 'hnsw',
    ...(precision !== 'auto' && { precision }),
    ...(dimensions !== '' && { dimensions: Number(dimensions) }),
    ...Object.fromEntries(numbers.map((name) => [name, Number(draft[name])])),
  };
}

const STORAGES: Option<Storage>[] = [
  { value: 'vector', label: 'in full, 4 bytes per number' },
  { value: 'halfvec', label: 'in half, 2 bytes per number' },
];
const KINDS: Option<Kind>[] = [
  { value: 'usual', label: 'HNSW, with the usual settings' },
  { value: 'own', label: 'HNSW, with these settings' },
  { value: 'none', label: 'none: each search compares all vectors' },
];
const PRECISIONS: Option<VectorDraft['precision']>[] = [
  { value: 'auto', label: 'full, or half above 2,000 dimensions' },
  { value: 'full', label: 'full' },
  { value: 'half', label: 'half' },
  { value: 'bit', label: 'one bit per number' },
];

interface VectorFieldsProps {
  vectors: VectorDraft;
  onChange: (vectors: VectorDraft) => void;
  /** Problem of a field: `storage`, or one below `vectorIndex`. */
  errorOf: (path: string) => string | undefined;
  /** Whether the settings of the source can be kept. */
  hasSame?: boolean;
}

/** In which precision vectors are stored and indexed, and the parameters of the index. */
export function VectorFields({ vectors, onChange, errorOf, hasSame = false }: VectorFieldsProps) {
  const same = hasSame ? ([{ value: KEEP, label: 'as in the source' }] as const) : [];
  return (
    <>
      <Choice
        label="Vectors are stored"
        options={[...same, ...STORAGES]}
        value={vectors.storage}
        onChange={(storage) => onChange({ ...vectors, storage })}
        error={errorOf('storage')}
      />
      <VectorIndexFields vectors={vectors} onChange={onChange} errorOf={errorOf} same={same} />
    </>
  );
}

type VectorIndexFieldsProps = Omit<VectorFieldsProps, 'hasSame'> & {
  /** The choice that changes nothing, if there is one. */
  same: readonly Option<typeof KEEP>[];
};

/** The kind of the vector index, and its parameters. */
export function VectorIndexFields({ vectors, onChange, errorOf, same }: VectorIndexFieldsProps) {
  const set = (change: Partial<VectorDraft>) => onChange({ ...vectors, ...change });
  const count = (name: 'dimensions' | 'm' | 'efConstruction', label: string, description: string) => (
    <NumberInput
      label={label}
      description={description}
      allowDecimal={false}
      thousandSeparator=","
      value={vectors[name]}
      onChange={(value) => set({ [name]: value })}
      error={errorOf(`vectorIndex.${name}`)}
    />
  );
  return (
    <>
      <Choice
        label="Vector index"
        options={[...same, ...KINDS]}
        value={vectors.kind}
        onChange={(kind) => set({ kind })}
        error={errorOf('vectorIndex')}
      />
      {vectors.kind === 'own' && (
        <>
          <Choice
            label="Precision in the index"
            description="A search compares the best with the stored vectors"
            options={PRECISIONS}
            value={vectors.precision}
            onChange={(precision) => set({ precision })}
            error={errorOf('vectorIndex.precision')}
          />
          {count('dimensions', 'Indexed dimensions', 'The first ones, of a Matryoshka model; empty: all')}
          {count('m', 'Neighbors of a vector', 'More find more, and need more space')}
          {count('efConstruction', 'Width of the build', 'At least twice the neighbors; more builds longer')}
        </>
      )}
    </>
  );
}
