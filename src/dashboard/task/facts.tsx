import { Code, Group } from '@mantine/core';
import { namesOf } from '../../contract/task-title.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { Card } from '../ui/card.tsx';
import { Copy } from '../ui/copy.tsx';
import { type Fact, FactList } from '../ui/fact-list.tsx';
import { number } from '../ui/format.ts';
import { IndexLink, TaskLink } from '../ui/links.tsx';
import { Moment } from '../ui/moment.tsx';
import { attemptsText } from './attempts-text.ts';

/** Types whose names are those of indexes; a reindex shows its own above. */
const OF_INDEXES: readonly string[] = ['upsert', 'delete', 'evaluate', 'vector-index'];

/** Other facts about a task. */
export function Facts({ tracker, ended }: { tracker: Tracker; ended: boolean }) {
  const { data, version, lockExpireTime, parentId } = tracker;
  const facts: Fact[] = [
    ['Created', <Moment key="c" at={tracker.createTime} />],
    ['Last change', <Moment key="u" at={tracker.updateTime} />],
    ['Attempts', attemptsText(tracker, ended)],
  ];
  const names = OF_INDEXES.includes(tracker.type) ? namesOf(tracker) : [];
  if (names.length > 0) {
    const links = names.map((name) => <IndexLink key={name} name={name} />);
    facts.push([
      names.length === 1 ? 'Index' : 'Indexes',
      <Group key="i" gap="xs">
        {links}
      </Group>,
    ]);
  }
  if (version !== null) facts.push(['Version of its writes', number(version)]);
  if (lockExpireTime !== null) facts.push(['Lock until', <Moment key="l" at={lockExpireTime} />]);
  if (parentId !== null) facts.push(['Part of', <TaskLink key="p" id={parentId} />]);
  return (
    <Card title="Details">
      <FactList facts={facts} />
      {Object.keys(data).length > 0 && (
        <details style={{ marginTop: 12 }}>
          <summary style={{ cursor: 'pointer', fontSize: 'var(--mantine-font-size-sm)' }}>Raw data</summary>
          <Copy text={JSON.stringify(data, null, 2)} what="the data" />
          <Code block mt={8} className="wrap" tabIndex={0} style={{ whiteSpace: 'pre-wrap' }}>
            {JSON.stringify(data, null, 2)}
          </Code>
        </details>
      )}
    </Card>
  );
}
