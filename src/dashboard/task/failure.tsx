import { Alert, Text } from '@mantine/core';
import type { Tracker } from '../../contract/tasks.ts';
import { Sentence } from '../ui/sentence.tsx';

/** Statuses whose reason is what matters most on the page. */
const FAILED: readonly Tracker['status'][] = ['failed', 'exhausted', 'refused'];

type Failed = Pick<Tracker, 'status' | 'detail' | 'errors' | 'updateTime'>;

/** What went wrong: a sentence about the attempts, and the error; its text stands in one of them. */
export interface FailureParts {
  title: string;
  /** The error whose text the message is. */
  error: Tracker['errors'][number] | undefined;
  message: string;
}

/** Returns what went wrong with a task that has failed or was refused; null for any other. */
export function failureOf({ status, detail, errors }: Failed): FailureParts | null {
  if (!FAILED.includes(status)) return null;
  const [error] = errors;
  if (status === 'refused') {
    return { title: 'Refused', error: error?.message === detail ? error : undefined, message: detail };
  }
  if (!error || !detail.includes(error.message)) return { title: 'Failed', error: undefined, message: detail };
  // The detail of a task quotes its last error.
  const title = detail
    .replace(`; the last: ${error.message}`, '')
    .replace(`: ${error.message}`, '')
    .replace(error.message, '');
  return { title: `${title.charAt(0).toUpperCase()}${title.slice(1)}`, error, message: error.message };
}

/** Names the step in which an error occurred, after its type; that of a job is always its function. */
export const stageText = (stage: string | undefined) => (stage && stage !== 'runJob' ? ` during ${stage}` : '');

interface FailureProps {
  tracker: Tracker;
  /** Whether no attempt follows by itself. */
  ended: boolean;
}

/** Why a task has failed or was refused, first and in color; nothing for any other. */
export function Failure({ tracker, ended }: FailureProps) {
  const failure = failureOf(tracker);
  if (!failure || failure.message === '') return null;
  const { title, error, message } = failure;
  const isFinal = ended && tracker.status !== 'refused';
  return (
    <Alert
      role="alert"
      className="failure wrap"
      data-final={isFinal || undefined}
      title={
        <Text component="span" fz="inherit" fw="inherit" c="var(--mantine-color-text)">
          <Sentence text={title || 'Failed'} at={tracker.updateTime} />
        </Text>
      }
    >
      {error && tracker.status !== 'refused' && (
        <Text fz="sm" fw={600} c="var(--mantine-color-error)" component="div">
          {error.type}
          {stageText(error.stage)}
        </Text>
      )}
      <Text fz="sm">
        <Sentence text={message} at={tracker.updateTime} />
      </Text>
    </Alert>
  );
}
