export interface AttackCount {
  /** Number of started turns. */
  times: number;
  /** Calls by status; 0 is no answer, including clients that disconnected on purpose. */
  statuses: Record<string, number>;
  /** The first wrong answers, and their number. */
  wrong: string[];
  wrongs: number;
}

/** Whether any call got an answer. */
export function isAnswered({ statuses }: AttackCount): boolean {
  return Object.keys(statuses).some((status) => status !== '0');
}
