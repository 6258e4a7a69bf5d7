import { useMemo, useState } from 'react';
import type { TaskFilter } from '../../client/client.ts';
import { reembed } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import { StartReindex } from '../indexes/start-reindex.tsx';
import { Card, PageHead } from '../ui/card.tsx';
import { LinkButton } from '../ui/links.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { BulkBar } from './bulk-bar.tsx';
import { Pager } from './pager.tsx';
import { StatusTabs } from './status-tabs.tsx';
import { TaskFilters } from './task-filters.tsx';
import { useTaskSearch } from './task-search.ts';
import { TaskTable } from './task-table.tsx';
import { sinceOf } from './within.ts';

const PAGE = 50;

/** The live list of all tasks, newest first. */
export function TasksPage() {
  const { status, type, index, within } = useTaskSearch();
  const rest = useMemo(() => ({ type, index, createdAfter: sinceOf(within) }), [type, index, within]);
  return (
    <>
      <PageHead title="Tasks" actions={<StartReindex />} />
      <Card flush>
        <StatusTabs filter={rest} selected={status} />
        <TaskFilters />
        <TaskList key={JSON.stringify({ ...rest, status })} filter={{ ...rest, status }} />
      </Card>
    </>
  );
}

function TaskList({ filter }: { filter: TaskFilter }) {
  /** The cursors of the previous pages and of this one. */
  const [cursors, setCursors] = useState<(string | null)[]>([null]);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const page = { ...filter, limit: PAGE, cursor: cursors.at(-1) };
  const { data, error, connected } = useLive(['tasks', page], (options) => reembed.tasks.watchPage(page, options));
  const filtered = Object.values(filter).some((value) => value !== undefined);

  if (!data) {
    return error ? <Problem error={error} title="The tasks cannot be listed" /> : <Loading rows={8} />;
  }
  const isEmpty = data.tasks.length === 0 && cursors.length === 1;
  return (
    <>
      {isEmpty ? (
        <NoTasks filtered={filtered} />
      ) : (
        <>
          <TaskTable tasks={data.tasks} connected={connected} selected={selected} onSelect={setSelected} />
          <Pager
            page={cursors.length}
            perPage={PAGE}
            shown={data.tasks.length}
            total={data.total}
            connected={connected}
            onNewer={cursors.length > 1 ? () => setCursors(cursors.slice(0, -1)) : undefined}
            onOlder={data.cursor === null ? undefined : () => setCursors([...cursors, data.cursor])}
          />
        </>
      )}
      {/* Also shown if no task matches any more, since an action here may have changed them. */}
      <BulkBar
        selected={selected}
        filter={filter}
        total={data.total}
        pageSelected={data.tasks.length > 0 && data.tasks.every(({ id }) => selected.has(id))}
        onClear={() => setSelected(new Set())}
      />
    </>
  );
}

function NoTasks({ filtered }: { filtered: boolean }) {
  if (filtered) return <Empty title="No matching tasks">Choose another status, type or time.</Empty>;
  return (
    <Empty
      title="No tasks yet"
      action={
        <LinkButton variant="default" to="/indexes">
          Go to the indexes
        </LinkButton>
      }
    >
      Everything that is written, deleted or rebuilt is a task. Create an index first, or send a call to the API: its
      reference has examples.
    </Empty>
  );
}
