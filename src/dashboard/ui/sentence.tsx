import { Fragment, type ReactNode } from 'react';
import { TaskLink } from './links.tsx';
import { Moment } from './moment.tsx';

/**
 * What is shown in another way than it is written: a moment, a number of seconds that began when the text was written,
 * or the id of another task.
 */
const KNOWN =
  /(?:\bat )?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)|\bin (\d{1,9}) s\b|\bby the task ([A-Za-z0-9_.:@/-]{1,200})/g;

interface SentenceProps {
  text: string;
  /** When the text was written. */
  at: string;
}

/** A text of a task, whose times count down, `next try in 6 min`, and which leads to the tasks that it names. */
export function Sentence({ text, at }: SentenceProps) {
  const parts: { key: number; before: string; shown: ReactNode }[] = [];
  let end = 0;
  for (const match of text.matchAll(KNOWN)) {
    const shown = shownAs(match, at);
    if (shown === null) continue;
    parts.push({ key: match.index, before: text.slice(end, match.index), shown });
    end = match.index + match[0].length;
  }
  return (
    <>
      {parts.map(({ key, before, shown }) => (
        <Fragment key={key}>
          {before}
          {shown}
        </Fragment>
      ))}
      {text.slice(end)}
    </>
  );
}

/** Returns what is shown for a match; null to leave it as it is written. */
function shownAs([, moment, seconds, taskId]: RegExpExecArray, at: string): ReactNode {
  if (taskId !== undefined) {
    return (
      <>
        by the task <TaskLink id={taskId} />
      </>
    );
  }
  const time = new Date(moment === undefined ? Date.parse(at) + Number(seconds) * 1_000 : Date.parse(moment));
  return Number.isNaN(time.getTime()) ? null : <Moment at={time} />;
}
