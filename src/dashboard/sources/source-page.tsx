import { Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ReembedError } from '../../client/client.ts';
import { type SourceInfo, textColumns } from '../../contract/sources.ts';
import { Card, PageHead } from '../ui/card.tsx';
import { type Fact, FactList } from '../ui/fact-list.tsx';
import { IndexLink } from '../ui/links.tsx';
import { Moment } from '../ui/moment.tsx';
import { RecentTasks } from '../ui/recent-tasks.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { Viewer } from '../ui/viewer.tsx';
import { sourceQuery, tableText } from './queries.ts';
import { SourceActions } from './source-actions.tsx';
import { Backlog, State } from './state.tsx';

const route = getRouteApi('/sources/$source');

/** The page of one source: what it takes from its table, its state, and its syncs. */
export function SourcePage() {
  const { source } = route.useParams();
  return <OneSource key={source} name={source} />;
}

function OneSource({ name }: { name: string }) {
  const { data, error, refetch } = useQuery(sourceQuery(name));
  if (error instanceof ReembedError && error.type === 'SourceNotFound')
    return <Empty title="There is no such source" />;
  if (!data) return error ? <Problem error={error} retry={() => void refetch()} /> : <Loading />;
  return (
    <>
      <PageHead title={`Source ${data.name}`} actions={<SourceActions source={data} />} />
      <Stack gap="md">
        {data.reason !== null && data.state === 'waiting' && (
          <Problem error={new Error(data.reason)} title="It waits, and tries again by itself" />
        )}
        <Facts source={data} />
        <Card title="Definition">
          <Viewer value={data.definition as never} what="the definition" />
        </Card>
        <RecentTasks title="Syncs" filter={{ type: 'sync', index: name }} />
      </Stack>
    </>
  );
}

function Facts({ source }: { source: SourceInfo }) {
  const { state, reason, stateTime, definition, key, createTime, updateTime } = source;
  const { uriColumn, metadata, follow, updatedAt } = definition;
  const facts: Fact[] = [
    ['State', <State key="s" state={state} />],
    ['Since', <Moment key="t" at={stateTime} />],
    ['Backlog', <Backlog key="b" source={source} />],
    ['Index', <IndexLink key="i" name={definition.index} />],
    [
      'Table',
      <span key="n" className="id">
        {tableText(source)}
      </span>,
    ],
    ['Key', key.join(', ')],
    ['Text', uriColumn === undefined ? textColumns(definition).join(', ') : `loaded from ${uriColumn}`],
    ['Metadata', metadata.join(', ') || 'none'],
    ['Changes', follow === 'poll' ? `read by the column ${updatedAt}; deletes are not seen` : 'recorded by triggers'],
    ['Created', <Moment key="c" at={createTime} />],
    ['Changed', <Moment key="u" at={updateTime} />],
  ];
  if (reason !== null && state !== 'waiting') facts.splice(2, 0, ['Reason', reason]);
  return (
    <Card title="Details">
      <FactList facts={facts} />
    </Card>
  );
}
