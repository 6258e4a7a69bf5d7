import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { TaskRow } from '../../client/client.ts';
import { Sentence } from './sentence.tsx';
import { TaskId, TaskName } from './task-name.tsx';

interface TaskLineProps {
  task: TaskRow;
  /** Shown after the name. */
  children?: ReactNode;
}

/** What a task does, its id and its detail: in one line where there is room, otherwise in two. */
export function TaskLine({ task, children }: TaskLineProps) {
  const { id, type, detail = '', createTime = '', updateTime = createTime } = task;
  return (
    <div className="task-line">
      <div className="task-line-name">
        <TaskName task={task} /> {children}
      </div>
      <div className="task-line-rest">
        <TaskId id={id} />
        <Text fz="xs" c="dimmed" className="excerpt one-line" title={detail}>
          <Sentence text={detail || type} at={updateTime} />
        </Text>
      </div>
    </div>
  );
}
