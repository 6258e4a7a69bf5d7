import type { Json } from '../../contract/json.ts';
import type { Tracker } from '../../contract/tasks.ts';
import { Card } from '../ui/card.tsx';
import { type Fact, FactList } from '../ui/fact-list.tsx';
import { Moment } from '../ui/moment.tsx';

const TIME = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;

/** The watch after the switch: how long it lasts, what would roll back, and what it has seen; nothing without one. */
export function Watch({ tracker: { data } }: { tracker: Tracker }) {
  const facts = factsOf(data.watch);
  if (facts.length === 0) return null;
  return (
    <Card title="Watch after the switch">
      <FactList facts={facts} />
    </Card>
  );
}

/** Returns each value with its name in words, such as `roll back if: empty share`. */
function factsOf(value: Json | undefined, path: readonly string[] = []): Fact[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'object' && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([name, part]) => factsOf(part, [...path, inWords(name)]));
  }
  const text = Array.isArray(value) ? value.map(String).join(', ') : String(value);
  return [[path.join(': '), TIME.test(text) ? <Moment key="t" at={text} /> : text]];
}

function inWords(name: string): string {
  return name.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase();
}
