/** Why a task is slow or stands still, with a short name for narrow places. */
export const PACE_REASONS = {
  /** Searches and writes go first. */
  'live-work': 'yields',
  /** The rate that was set for it. */
  'rate-limit': 'throttled',
  /** The limit of the model, or its provider asks to slow down. */
  'model-limit': 'model limit',
  /** The model does not answer. */
  model: 'no model',
  /** No worker takes up the next step, because none runs or all are busy. */
  worker: 'no worker',
  /** A batch of the provider. */
  batches: 'batches',
} as const;

export type PaceReason = keyof typeof PACE_REASONS;

/** Why a task is slow or stands still at this moment. */
export interface TaskPace {
  reason: PaceReason;
  /** The reason in words. */
  text: string;
  /** Share of the last minute that went into waiting for this reason, from 0 to 1; null if the task stands still. */
  share: number | null;
  /** When it continues by itself; null if that is unknown. */
  until: string | null;
}

/** What an activity waited for while it ran, in milliseconds; each kind counts overlapping waits once. */
export interface ChunkWaits {
  /** Since the activity was scheduled first, without the time in which its last attempt waited for a worker. */
  ranMs: number;
  liveMs: number;
  rateMs: number;
  modelMs: number;
}

/** The waits of an activity with the time until a worker took it up. */
export type StepWaits = ChunkWaits & { workerMs: number };

const WAIT_FIELDS = ['ranMs', 'liveMs', 'rateMs', 'modelMs', 'workerMs'] as const;

/** Whether a value that was sent, perhaps by a tool, is the waits of a step. */
export function isStepWaits(sent: unknown): sent is StepWaits {
  const waits = (sent ?? {}) as Partial<StepWaits>;
  return WAIT_FIELDS.every((field) => Number.isFinite(waits[field]) && (waits[field] as number) >= 0);
}

/** Says why a task is slow. `ratePerSecond`: the limit that is set for it. */
export function paceText({ reason, share, until }: Omit<TaskPace, 'text'>, ratePerSecond: unknown = undefined): string {
  const part = share === null ? '' : `, ${Math.round(share * 100)} % of the last minute`;
  switch (reason) {
    case 'live-work':
      return `yields to searches and writes${part}`;
    case 'rate-limit':
      return typeof ratePerSecond === 'number' ? `throttled to ${ratePerSecond}/s` : `throttled${part}`;
    case 'model-limit':
      return until === null ? `limit of the model${part}` : `limit of the model, which asks to wait until ${until}`;
    case 'model':
      return until === null ? 'the model does not answer' : `the model does not answer; next try at ${until}`;
    case 'worker':
      return `waits for a worker${part}`;
    case 'batches':
      return until === null ? 'waits for batches of the provider' : `waits for batches of the provider until ${until}`;
  }
}
