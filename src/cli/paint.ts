import { styleText } from 'node:util';
import type { TaskStatus } from '../contract/status.ts';

const STATUS_STYLES = {
  pending: 'yellow',
  processing: 'cyan',
  waiting: 'yellow',
  paused: 'yellow',
  done: 'green',
  failed: 'red',
  exhausted: 'red',
  canceled: 'gray',
  refused: 'red',
  ignored: 'gray',
} as const satisfies Record<TaskStatus, Parameters<typeof styleText>[0]>;

export interface Paint {
  status: (text: string, status: TaskStatus) => string;
  error: (text: string) => string;
  title: (text: string) => string;
}

const asItIs = (text: string) => text;
// Whether to use colors is already decided; `styleText` would only check the standard output.
const always = { validateStream: false };

/** Returns the color functions of an output; they change nothing if it has no colors. */
export function paintIf(isColoured: boolean | undefined): Paint {
  if (!isColoured) return { status: asItIs, error: asItIs, title: asItIs };
  return {
    status: (text, status) => styleText(STATUS_STYLES[status], text, always),
    error: (text) => styleText('red', text, always),
    title: (text) => styleText('bold', text, always),
  };
}

/** Whether an output has colors: by `FORCE_COLOR` and `NO_COLOR`, otherwise on terminals that support them. */
export function hasColours(env: NodeJS.ProcessEnv, stream: { isTTY?: boolean | undefined }): boolean {
  const { FORCE_COLOR: forced, NO_COLOR: none, TERM: terminal } = env;
  if (forced !== undefined && forced !== '') return !/^(0|false)$/.test(forced);
  if (none !== undefined && none !== '') return false;
  return stream.isTTY === true && terminal !== 'dumb';
}
