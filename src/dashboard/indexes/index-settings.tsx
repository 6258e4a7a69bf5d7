import { Checkbox, SimpleGrid } from '@mantine/core';
import type { Metric, Versioning } from '../../contract/indexes.ts';
import { Choice, type Option } from '../ui/choice.tsx';
import { Fold } from '../ui/fold.tsx';
import { emptyFullText, type FullTextDraft, FullTextFields, fullTextOf } from './full-text-fields.tsx';
import { KEEP } from './keep.ts';
import { emptySplitter, type SplitterDraft, SplitterFields, splitterOf } from './splitter-fields.tsx';
import { emptyVectors, storageOf, type VectorDraft, VectorFields, vectorIndexOf } from './vector-fields.tsx';

/** The draft of the settings of an index besides its model. */
export interface SettingsDraft {
  splitter: SplitterDraft;
  metric: typeof KEEP | Metric;
  fullText: FullTextDraft;
  vectors: VectorDraft;
  average: typeof KEEP | 'no' | 'yes';
  /** Of a new index only: a reindex keeps that of its source. */
  versioning: Versioning;
  readyVectors: boolean;
}

const OF_NEW = { versioning: 'internal', readyVectors: false } as const;

/** The usual settings of a new index. */
export const usualSettings = (): SettingsDraft => ({
  splitter: emptySplitter('characters'),
  metric: 'cosine',
  fullText: emptyFullText('none'),
  vectors: emptyVectors('vector'),
  average: 'no',
  ...OF_NEW,
});

/** The settings of the source of a reindex. */
export const keptSettings = (): SettingsDraft => ({
  splitter: emptySplitter(KEEP),
  metric: KEEP,
  fullText: emptyFullText(KEEP),
  vectors: emptyVectors(KEEP),
  average: KEEP,
  ...OF_NEW,
});

/** Converts a draft to the settings that are sent; undefined for those that are kept. */
export function settingsOf({ splitter, metric, fullText, vectors, average }: SettingsDraft) {
  return {
    splitter: splitterOf(splitter),
    metric: metric === KEEP ? undefined : metric,
    fullText: fullTextOf(fullText),
    storage: storageOf(vectors),
    vectorIndex: vectorIndexOf(vectors),
    average: average === KEEP ? undefined : average === 'yes',
  };
}

/** Converts a draft to the settings of a new index, without those that are as usual. */
export function newSettingsOf(settings: SettingsDraft) {
  const { fullText, vectorIndex, ...others } = settingsOf(settings);
  return {
    ...others,
    versioning: settings.versioning,
    ...(settings.readyVectors && { readyVectors: true }),
    ...(fullText && { fullText }),
    ...(vectorIndex && { vectorIndex }),
  };
}

const AVERAGES: Option<'no' | 'yes'>[] = [
  { value: 'no', label: 'parts only' },
  { value: 'yes', label: 'parts, and the average of an object’s parts' },
];
const VERSIONINGS: Option<Versioning>[] = [
  { value: 'internal', label: 'by reembed: the last write wins' },
  { value: 'external', label: 'by the writer: every item has its version' },
];
const METRICS: Option<Metric>[] = [
  { value: 'cosine', label: 'cosine' },
  { value: 'l2', label: 'Euclidean distance' },
  { value: 'ip', label: 'inner product' },
];

const GRID = { cols: { base: 1, xs: 2 }, spacing: 'xs' };

interface IndexSettingsProps {
  settings: SettingsDraft;
  onChange: (settings: SettingsDraft) => void;
  /** Problem of a field of the configuration of an index. */
  errorOf: (path: string) => string | undefined;
  /** Whether the settings of a source can be kept. */
  hasSame?: boolean;
}

/** The settings of an index besides its model: full text, and folded those that few need to change. */
export function IndexSettings({ settings, onChange, errorOf, hasSame = false }: IndexSettingsProps) {
  const set = (change: Partial<SettingsDraft>) => onChange({ ...settings, ...change });
  const { splitter, metric, fullText, vectors, average } = settings;
  return (
    <>
      <SimpleGrid {...GRID}>
        <FullTextFields
          fullText={fullText}
          onChange={(next) => set({ fullText: next })}
          errorOf={(path) => errorOf(`fullText.${path}`)}
          hasSame={hasSame}
        />
      </SimpleGrid>
      <Fold title="Parts, distance and vector index">
        <SimpleGrid {...GRID}>
          <SplitterFields
            splitter={splitter}
            onChange={(next) => set({ splitter: next })}
            errorOf={(path) => errorOf(`splitter.${path}`)}
            hasSame={hasSame}
          />
          <Choice
            label="Distance of two vectors"
            options={hasSame ? [{ value: KEEP, label: 'as in the source' }, ...METRICS] : METRICS}
            value={metric}
            onChange={(next) => set({ metric: next })}
            error={errorOf('metric')}
          />
          <Choice
            label="Vectors of an object"
            options={hasSame ? [{ value: KEEP, label: 'as in the source' }, ...AVERAGES] : AVERAGES}
            value={average}
            onChange={(next) => set({ average: next })}
            error={errorOf('average')}
          />
          <VectorFields
            vectors={vectors}
            onChange={(next) => set({ vectors: next })}
            errorOf={errorOf}
            hasSame={hasSame}
          />
          {!hasSame && <NewFields settings={settings} onChange={onChange} errorOf={errorOf} />}
        </SimpleGrid>
      </Fold>
    </>
  );
}

/** What only a new index chooses: how writes are ordered, and whether they may bring vectors. */
function NewFields({ settings, onChange, errorOf }: IndexSettingsProps) {
  return (
    <>
      <Choice
        label="Versions of objects"
        options={VERSIONINGS}
        value={settings.versioning}
        onChange={(versioning) => onChange({ ...settings, versioning })}
        error={errorOf('versioning')}
      />
      <Checkbox
        label="Objects may have vectors of their own"
        description="That the same model has made elsewhere; the model is not called for them"
        checked={settings.readyVectors}
        onChange={(event) => onChange({ ...settings, readyVectors: event.currentTarget.checked })}
      />
    </>
  );
}
