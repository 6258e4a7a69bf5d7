import { Fragment } from 'react';
import { Moment } from './moment.tsx';

/** A time in a text of a task: a moment, or a number of seconds that began when the text was written. */
const TIME = /(?:\bat )?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z)|\bin (\d{1,9}) s\b/g;

interface SentenceProps {
  text: string;
  /** When the text was written. */
  at: string;
}

/** A text of a task, whose times count down: `next try in 6 min` instead of a moment, or of seconds that stand still. */
export function Sentence({ text, at }: SentenceProps) {
  const parts: { key: number; before: string; moment: Date }[] = [];
  let end = 0;
  for (const match of text.matchAll(TIME)) {
    const [all, moment, seconds] = match;
    const time = moment === undefined ? Date.parse(at) + Number(seconds) * 1_000 : Date.parse(moment);
    if (Number.isNaN(time) || Number.isNaN(new Date(time).getTime())) continue;
    parts.push({ key: match.index, before: text.slice(end, match.index), moment: new Date(time) });
    end = match.index + all.length;
  }
  return (
    <>
      {parts.map(({ key, before, moment }) => (
        <Fragment key={key}>
          {before}
          <Moment at={moment} />
        </Fragment>
      ))}
      {text.slice(end)}
    </>
  );
}
