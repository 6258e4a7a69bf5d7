import { Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { ReembedError } from '../../client/client.ts';
import type { ObjectEvent } from '../../contract/object-history.ts';
import { Card } from '../ui/card.tsx';
import { number } from '../ui/format.ts';
import { IndexLink, TaskLink } from '../ui/links.tsx';
import { ExactMoment } from '../ui/moment.tsx';
import { Loading, Problem } from '../ui/states.tsx';
import { historyQuery } from './queries.ts';

/** How each kind of event is called, and its color. */
const KINDS: Record<ObjectEvent['kind'], { words: string; color: string }> = {
  written: { words: 'Written', color: 'teal-7' },
  unchanged: { words: 'Written with the same content', color: 'gray-6' },
  deleted: { words: 'Deleted', color: 'red-7' },
  failed: { words: 'Failed', color: 'orange-7' },
};

/** What happened to an object, newest first: versions, copies, failures and deletions, with their tasks. */
export function History({ index, id }: { index: string; id: string }) {
  const { data, error, isPending } = useQuery(historyQuery(index, id));
  if (error instanceof ReembedError && error.type === 'ObjectNotFound') return null;
  return (
    <Card title="History">
      {isPending && <Loading rows={3} />}
      {error && !data && <Problem error={error} title="The history cannot be read" />}
      {data?.events.length === 0 && (
        <Text fz="sm" c="dimmed">
          Nothing is recorded: the history is switched off, or it began after the last write.
        </Text>
      )}
      {data && data.events.length > 0 && (
        <>
          <Text fz="xs" c="dimmed" mb="sm">
            Vectors by {data.model.provider}/{data.model.name}, {number(data.model.dimensions)} dimensions.
          </Text>
          <ol className="events" aria-label="History">
            {data.events.map((event, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: events have no id, and only new ones are added, in front
              <Event key={data.events.length - at} event={event} />
            ))}
          </ol>
        </>
      )}
    </Card>
  );
}

function Event({ event }: { event: ObjectEvent }) {
  const { kind, version, copied, copiedFrom, taskId, by, reason, time } = event;
  const { words, color } = KINDS[kind];
  return (
    <li style={{ color: `var(--mantine-color-${color})` }}>
      <Group gap="xs" fz="sm" c="var(--mantine-color-text)">
        <Text fz="inherit" fw={600}>
          {copied && kind === 'written' ? 'Copied' : words}
        </Text>
        {version !== null && <span>version {number(version)}</span>}
        {copied && (
          <span>
            {copiedFrom === null ? (
              'by a reindex'
            ) : (
              <>
                from <IndexLink name={copiedFrom} />
              </>
            )}
          </span>
        )}
        {reason !== null && <span className="id">{reason}</span>}
      </Group>
      <Group gap="xs" fz="xs" c="dimmed">
        <ExactMoment at={time} />
        {taskId !== null && (
          <span className="wrap">
            task <TaskLink id={taskId} />
          </span>
        )}
        {by !== null && <span>by {by}</span>}
      </Group>
    </li>
  );
}
