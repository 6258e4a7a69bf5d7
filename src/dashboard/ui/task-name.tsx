import { Group } from '@mantine/core';
import type { TaskRow } from '../../client/client.ts';
import { shortId, titleOf } from '../../contract/task-title.ts';
import { WithArrows } from './arrow.tsx';
import { Copy } from './copy.tsx';
import { PageLink } from './links.tsx';

/** What a task does, as a link to its page; screen readers hear its id too. */
export function TaskName({ task }: { task: TaskRow }) {
  const title = titleOf(task);
  return (
    <PageLink
      to="/tasks/$taskId"
      params={{ taskId: task.id }}
      className="wrap"
      fz="inherit"
      fw={500}
      aria-label={`${title}, ${task.id}`}
    >
      <WithArrows text={title} />
    </PageLink>
  );
}

/** The id of a task, shortened, with a button that copies all of it. */
export function TaskId({ id }: { id: string }) {
  return (
    <Group gap={2} wrap="nowrap" component="span" style={{ display: 'inline-flex', verticalAlign: 'bottom' }}>
      <span className="id nowrap" title={id}>
        {shortId(id)}
      </span>
      <Copy text={id} what={`the id ${id}`} />
    </Group>
  );
}
