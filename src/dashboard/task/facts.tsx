import { Code } from '@mantine/core';
import { type Usage, usedText } from '../../contract/budget.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { Card } from '../ui/card.tsx';
import { type Fact, FactList } from '../ui/fact-list.tsx';
import { number, rate } from '../ui/format.ts';
import { IndexLink, TaskLink } from '../ui/links.tsx';
import { Moment } from '../ui/moment.tsx';

/** Other facts about a task. */
export function Facts({ tracker }: { tracker: Tracker }) {
  const { data, attempts, maxAttempts, version, lockExpireTime, parentId, type } = tracker;
  const { source, dest, alias, ...rest } = data;
  const isReindex = type === 'reindex';
  const more = isReindex ? rest : data;
  const facts: Fact[] = [
    ['Created', <Moment key="c" at={tracker.createTime} />],
    ['Last change', <Moment key="u" at={tracker.updateTime} />],
    ['Attempts', `${number(attempts)} of ${number(maxAttempts)}`],
  ];
  if (isReindex && typeof source === 'string') facts.push(['From', <IndexLink key="s" name={source} />]);
  if (isReindex && typeof dest === 'string') facts.push(['To', <IndexLink key="d" name={dest} />]);
  if (isReindex && typeof alias === 'string')
    facts.push([
      'Switches the alias',
      <span key="a" className="id">
        {alias}
      </span>,
    ]);
  if (isReindex && typeof data.ratePerSecond === 'number') facts.push(['Throttled to', rate(data.ratePerSecond)]);
  if (isReindex && data.usage) facts.push(...usageFacts(data.usage as unknown as Usage));
  if (version !== null) facts.push(['Version of its writes', number(version)]);
  if (lockExpireTime !== null) facts.push(['Lock until', <Moment key="l" at={lockExpireTime} />]);
  if (parentId !== null) facts.push(['Part of', <TaskLink key="p" id={parentId} />]);
  return (
    <Card title="Facts">
      <FactList facts={facts} />
      {Object.keys(more).length > 0 && (
        <details style={{ marginTop: 12 }}>
          <summary style={{ cursor: 'pointer', fontSize: 'var(--mantine-font-size-sm)' }}>Details of this type</summary>
          <Code block mt={8} className="wrap" tabIndex={0} style={{ whiteSpace: 'pre-wrap' }}>
            {JSON.stringify(more, null, 2)}
          </Code>
        </details>
      )}
    </Card>
  );
}

/** What a reindex has used of its model, and its budget. */
function usageFacts({ calls, tokens, estimatedTokens, usd, budget }: Usage): Fact[] {
  const estimated = estimatedTokens > 0 ? `, ${usedText(estimatedTokens, undefined, 'tokens')} of them estimated` : '';
  return [
    ['Tokens of the model', `${usedText(tokens, budget.tokens, 'tokens')}${estimated}`],
    ['Calls of the model', usedText(calls, budget.calls, 'calls')],
    ['Cost of the model', usd === null ? 'its price is unknown' : usedText(usd, budget.usd, 'usd')],
  ];
}
