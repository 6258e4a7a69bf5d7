import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Json } from '../../contract/json.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { useAccess } from '../api/access.ts';
import { taskInputQuery } from '../api/queries.ts';
import { ActionButton } from '../ui/action-button.tsx';
import { Card } from '../ui/card.tsx';
import { type Fact, FactList } from '../ui/fact-list.tsx';
import { Loading, Problem } from '../ui/states.tsx';
import { Viewer } from '../ui/viewer.tsx';
import { RunJob } from './run-job.tsx';

/** What a job was started with; the tracker does not have it. */
interface Started {
  name?: string;
  input?: Json;
}

/** The whole input of a job with the options of its call, and a form that runs it again with the same input. */
export function JobInput({ tracker: { id, links, data } }: { tracker: Tracker }) {
  const [running, setRunning] = useState(false);
  const reason = useAccess().reasonNot('operate');
  const { data: found, error } = useQuery({ ...taskInputQuery(id, links.runId), enabled: reason === null });
  const { name, input: first, ...options } = (found?.input ?? {}) as Started;
  const isReplaced = data.newestInput !== undefined;
  const input = isReplaced ? (data.newestInput as Json) : first;
  return (
    <Card
      title="Input"
      actions={
        found &&
        typeof name === 'string' && (
          <ActionButton onClick={() => setRunning(true)}>Run again with this input…</ActionButton>
        )
      }
    >
      {reason !== null && (
        <Text fz="sm" c="dimmed">
          {reason}
        </Text>
      )}
      {error && <Problem error={error} title="The input cannot be read" />}
      {!found && !error && reason === null && <Loading rows={2} />}
      {found && input === undefined && (
        <Text fz="sm" c="dimmed">
          It was started without input.
        </Text>
      )}
      {isReplaced && (
        <Text fz="sm" c="dimmed" mb="xs">
          From a newer call, which was ignored in favor of this job.
        </Text>
      )}
      {found && input !== undefined && <Viewer value={input} what="the input" />}
      {Object.keys(options).length > 0 && <FactList facts={factsOf(options)} />}
      {running && name !== undefined && (
        <RunJob name={name} given={{ input, options }} onClose={() => setRunning(false)} />
      )}
    </Card>
  );
}

/** The options of the call, under the names that they have in it. */
function factsOf(options: object): Fact[] {
  return Object.entries(options).map(([name, value]) => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]);
}
