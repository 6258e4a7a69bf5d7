import { Box, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { approvalOf } from '../../contract/approval.ts';
import { type IndexBuild, type IndexBuildChoice, WAYS } from '../../contract/index-build.ts';
import type { IndexInfo } from '../../contract/indexes.ts';
import type { Json } from '../../contract/json.ts';
import type { Tracker } from '../../contract/tasks.ts';
import type { WaitsFor } from '../../contract/waits.ts';
import { indexesQuery } from '../api/queries.ts';
import { Arrow } from '../ui/arrow.tsx';
import { Card } from '../ui/card.tsx';
import { type Fact, FactList } from '../ui/fact-list.tsx';
import { count, number, rate } from '../ui/format.ts';
import { IndexLink } from '../ui/links.tsx';
import { Moment } from '../ui/moment.tsx';
import { LiveWrites } from './live-writes.tsx';
import { NextSteps } from './next-steps.tsx';

interface ReleaseProps {
  tracker: Tracker;
  ended: boolean;
}

/** A reindex as a release: from which index and model to which, who and when, and the next step. */
export function Release({ tracker, ended }: ReleaseProps) {
  const { data: indexes } = useQuery(indexesQuery);
  const { source, dest } = tracker.data;
  if (typeof source !== 'string' || typeof dest !== 'string') return null;
  const isBegun = hasBegun(tracker);
  const missing = !indexes ? '' : isBegun ? 'deleted' : ended ? 'does not exist' : 'not created yet';
  const infoOf = (name: string) =>
    indexes?.find((index) => index.name === name) ?? indexes?.find(({ aliases }) => aliases.includes(name));
  return (
    <Card>
      <Stack gap="md">
        <Group gap="md" align="flex-start" wrap="nowrap" aria-label="From and to" role="group">
          <Side name={source} info={infoOf(source)} missing={missing} />
          <Box pt={6}>
            <Arrow />
          </Box>
          <Side name={dest} info={infoOf(dest)} missing={missing} />
        </Group>
        {!isBegun && (
          <Text fz="sm" role="status">
            {ended ? 'It has changed nothing.' : 'It has changed nothing yet.'}
          </Text>
        )}
        {indexes && isBegun && <NextSteps tracker={tracker} ended={ended} pair={{ source, dest }} indexes={indexes} />}
        <FactList facts={factsOf(tracker, ended)} />
      </Stack>
    </Card>
  );
}

/** Whether a reindex has had its lock: before, it knows only the names that it was started with. */
export function hasBegun({ data }: Tracker): boolean {
  return data.alias !== undefined;
}

/** One index; `missing` is shown instead of its model if it does not exist. */
function Side({ name, info, missing }: { name: string; info: IndexInfo | undefined; missing: string }) {
  const { model, objects, estimated, aliases } = info ?? {};
  return (
    <div style={{ minWidth: 0 }}>
      <Text fw={600} className="wrap" component="div">
        {info ? <IndexLink name={info.name} /> : <span className="id">{name}</span>}
      </Text>
      <Text fz="xs" c="dimmed" className="wrap">
        {model ? `${model.provider}/${model.name}, ${number(model.dimensions)} dimensions` : missing}
      </Text>
      {info && (
        <Text fz="xs" c="dimmed" className="wrap">
          {count(objects ?? 0, estimated === true)} objects
          {aliases && aliases.length > 0 ? ` · serves as ${aliases.join(', ')}` : ''}
        </Text>
      )}
    </div>
  );
}

function factsOf(tracker: Tracker, ended: boolean): Fact[] {
  const { data, createTime } = tracker;
  const { decision } = approvalOf(data) ?? {};
  const facts: (Fact | null)[] = [
    // Nobody is known without tokens.
    typeof data.startedBy === 'string' ? ['Started by', data.startedBy] : null,
    ['Started', <Moment key="s" at={createTime} />],
    hasBegun(tracker) ? ['Switches the alias', typeof data.alias === 'string' ? data.alias : 'none'] : null,
    ['Speed limit of the copy', typeof data.ratePerSecond === 'number' ? rate(data.ratePerSecond) : 'none'],
    data.indexStrategy ? ['HNSW index built', strategyText(data.indexStrategy)] : null,
    ['Model errors', modelErrorsText(tracker)],
    hasBegun(tracker) && !ended ? ['Writes of users meanwhile', <LiveWrites key="w" taskId={tracker.id} />] : null,
    typeof data.reconciled === 'number' ? ['Changes copied after the copy', number(data.reconciled)] : null,
    data.verified ? ['Verified', verifiedText(data.verified)] : null,
    decision ? [decision.kind === 'approve' ? 'Approved by' : 'Rejected by', decidedBy(decision)] : null,
  ];
  return facts.filter((fact) => fact !== null);
}

/** The errors of the model that ended attempts, and the one because of which it waits now. */
function modelErrorsText({ data, errors }: Tracker): string {
  const { reason = '' } = (data.waitsFor ?? {}) as Partial<WaitsFor>;
  const found = errors.filter(({ type }) => type.startsWith('Model'));
  const parts = [
    reason.startsWith('Model') ? `now: ${reason}` : null,
    found[0] ? `${number(found.length)}, last: ${found[0].type}` : null,
  ].filter((part) => part !== null);
  return parts.join('; ') || 'none';
}

function decidedBy({ by, isVerdict, isTimeout }: { by: string | null; isVerdict: boolean; isTimeout: boolean }) {
  if (isVerdict) return 'the query set';
  return isTimeout ? 'the time limit' : (by ?? 'unknown');
}

/** Says when the HNSW index is built, and why. */
function strategyText(strategy: Json): string {
  const { chosen, why } = strategy as unknown as Pick<IndexBuildChoice, 'why'> & { chosen: IndexBuild | null };
  return chosen === null ? `not chosen yet: ${why}` : `${WAYS[chosen]}: ${why}`;
}

/** Formats the result of the comparison before the switch. */
function verifiedText(verified: Json): string {
  const { source, dest, failed, recall } = verified as Record<string, number | null>;
  const lacks = failed ? `, ${number(failed)} failed` : '';
  const found = typeof recall === 'number' ? `, HNSW finds ${Math.round(recall * 1_000) / 10}%` : '';
  return `${number(source ?? 0)} and ${number(dest ?? 0)} objects${lacks}${found}`;
}
