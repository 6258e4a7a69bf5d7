import { Fragment, type ReactNode } from 'react';
import { TaskLink } from './links.tsx';
import { Moment } from './moment.tsx';

/** A moment, or a number of seconds that began when the text was written. */
const TIME = /(?:\bat )?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)|\bin (\d{1,9}) s\b/g;
/** Apart from the times, since a checker cannot prove that both together match in linear time. */
const TASK = /\bby the task ([\w.:@/-]+)/g;

interface SentenceProps {
  text: string;
  /** When the text was written. */
  at: string;
}

/** A text of a task, whose times count down, `next try in 6 min`, and which leads to the tasks that it names. */
export function Sentence({ text, at }: SentenceProps) {
  const parts: { key: number; before: string; shown: ReactNode }[] = [];
  let end = 0;
  const known = [
    ...[...text.matchAll(TIME)].map((match) => ({ match, shown: momentOf(match, at) })),
    ...[...text.matchAll(TASK)].map((match) => ({ match, shown: taskOf(match) })),
  ].sort((left, right) => left.match.index - right.match.index);
  for (const { match, shown } of known) {
    // The id of a task may have a time in it.
    if (shown === null || match.index < end) continue;
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

function taskOf([, id = '']: RegExpExecArray): ReactNode {
  return (
    <>
      by the task <TaskLink id={id} />
    </>
  );
}

/** Returns null for what is no time; it is left as it is written. */
function momentOf([, moment, seconds]: RegExpExecArray, at: string): ReactNode {
  const time = new Date(moment === undefined ? Date.parse(at) + Number(seconds) * 1_000 : Date.parse(moment));
  return Number.isNaN(time.getTime()) ? null : <Moment at={time} />;
}
