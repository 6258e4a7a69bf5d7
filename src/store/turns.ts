/** How a long read shares the database with live work. */
export interface Turns {
  /** Whether the next piece must leave room for live work. */
  isLive(): Promise<boolean>;
  /** Runs a piece in turn with live work. */
  take<T>(piece: () => Promise<T>): Promise<T>;
}

/** Leaves no room: for reads that others wait for. */
export const noTurns: Turns = { isLive: async () => false, take: (piece) => piece() };
