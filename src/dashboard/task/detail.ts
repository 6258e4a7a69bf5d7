import type { Tracker } from '../../contract/tasks.ts';
import { type WaitsFor, waitsText } from '../../contract/waits.ts';

/** Returns the detail of a task without its end that says why it is slow or waits: the page says that in a box. */
export function ownDetail({ detail, data, pace }: Pick<Tracker, 'detail' | 'data' | 'pace'>): string {
  const waits = data.waitsFor as WaitsFor | undefined;
  const said = [pace?.text, waits && waitsText(waits)].filter((text) => text !== undefined);
  const end = said.find((text) => detail === text || detail.endsWith(`; ${text}`));
  return end === undefined ? detail : detail.slice(0, -end.length).replace(/; $/, '');
}
