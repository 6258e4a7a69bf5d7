import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { TaskFilter } from '../../client/client.ts';
import { reembed } from '../api/client.ts';
import { useLive } from '../api/live.ts';
import { StartReindex } from '../indexes/start-reindex.tsx';
import { Card, PageHead } from '../ui/card.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { BulkBar } from './bulk-bar.tsx';
import { NoTasks } from './no-tasks.tsx';
import { Pager } from './pager.tsx';
import { usePinned } from './pinned.ts';
import { StatusTabs, statusFilter } from './status-tabs.tsx';
import { TaskFilters } from './task-filters.tsx';
import { useTaskSearch } from './task-search.ts';
import { TaskTable } from './task-table.tsx';
import { sinceOf } from './within.ts';

const PAGE = 50;

/** The live list of all tasks, newest first. */
export function TasksPage() {
  const { status, type, index, within, page } = useTaskSearch();
  // Steering tasks are mostly dry runs, which the page itself starts.
  const without = type === undefined ? ('steer' as const) : undefined;
  const rest = useMemo(() => ({ type, without, index, createdAfter: sinceOf(within) }), [type, without, index, within]);
  return (
    <>
      <PageHead title="Tasks" actions={<StartReindex />} />
      <Card flush>
        <StatusTabs filter={rest} selected={status} />
        <TaskFilters />
        <TaskList key={JSON.stringify({ ...rest, status })} filter={{ ...rest, ...statusFilter(status) }} page={page} />
      </Card>
    </>
  );
}

function TaskList({ filter, page: pageNumber }: { filter: TaskFilter; page: number }) {
  const navigate = useNavigate({ from: '/tasks' });
  const cache = useQueryClient();
  // The cursors of the pages that were seen; a page that was opened by its address is found by counting.
  const known = ['cursors', JSON.stringify(filter)];
  const cursors = cache.getQueryData<(string | null)[]>(known) ?? [null];
  const cursor = cursors[pageNumber - 1];
  const place = cursor === undefined ? { offset: (pageNumber - 1) * PAGE } : { cursor };
  const show = (next: number) =>
    void navigate({ search: (before) => ({ ...before, page: next === 1 ? undefined : String(next) }) });
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const page = { ...filter, limit: PAGE, ...place };
  const { data, error, connected } = useLive(['tasks', page], (options) => reembed.tasks.watchPage(page, options));
  const { without: _without, ...chosen } = filter;
  const filtered = Object.values(chosen).some((value) => value !== undefined);
  const open = usePinned(filter, pageNumber === 1 && filter.status === undefined);

  if (!data) {
    return error ? <Problem error={error} title="The tasks cannot be listed" /> : <Loading rows={8} />;
  }
  const older = (next: string | null) => {
    const all = [...cursors];
    all[pageNumber] = next;
    cache.setQueryData(known, all);
    show(pageNumber + 1);
  };
  const live = new Map(data.tasks.map((task) => [task.id, task]));
  // The list is the fresher one of the two; what has ended since is no longer pinned.
  const pinned = open.map((task) => live.get(task.id) ?? task).filter(({ ended }) => ended !== true);
  const others = data.tasks.filter(({ id }) => !pinned.some((task) => task.id === id));
  const isEmpty = data.tasks.length === 0 && pageNumber === 1;
  const empty = filtered ? <Empty title="No matching tasks">Choose another status, type or time.</Empty> : <NoTasks />;
  return (
    <>
      {isEmpty ? (
        empty
      ) : (
        <>
          <TaskTable pinned={pinned} tasks={others} connected={connected} selected={selected} onSelect={setSelected} />
          <Pager
            page={pageNumber}
            perPage={PAGE}
            shown={data.tasks.length}
            total={data.total}
            connected={connected}
            onNewer={pageNumber > 1 ? () => show(pageNumber - 1) : undefined}
            onOlder={data.cursor === null ? undefined : () => older(data.cursor)}
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
