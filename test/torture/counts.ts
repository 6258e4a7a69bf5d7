export interface ReindexCounts {
  reindexes: number;
  cutovers: number;
  rollbacks: number;
  /** Roll backs that were followed by a roll forward, or by another roll back. */
  rollForwards: number;
  approved: number;
  rejected: number;
  canceled: number;
  terminated: number;
  restarted: number;
  paused: number;
  throttled: number;
  refused: number;
  /** Changes of the shares of searches that a new index gets, and the searches that it got. */
  readsChanged: number;
  shadowed: number;
  canaried: number;
  /** Pauses because a budget was used up. */
  budgetPauses: number;
  /** Unexpected ends, with their errors. */
  unexpected: string[];
  drainMs: number[];
}

export function zeroCounts(): ReindexCounts {
  return {
    ...{ reindexes: 0, cutovers: 0, rollbacks: 0, canceled: 0, terminated: 0, restarted: 0, paused: 0 },
    ...{ rollForwards: 0, approved: 0, rejected: 0 },
    ...{ readsChanged: 0, shadowed: 0, canaried: 0, budgetPauses: 0 },
    ...{ throttled: 0, refused: 0, unexpected: [], drainMs: [] },
  };
}
