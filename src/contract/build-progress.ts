/** Progress of the build of an HNSW index, as shown in the tracker's `data.indexBuild`. */
export interface BuildProgress {
  /** As Postgres names it. */
  phase: string;
  /** Percent of the phase that is done; null where Postgres does not count. */
  percent: number | null;
  /** Estimated seconds until the end of the phase at its rate so far; null when unknown. */
  etaSeconds: number | null;
  /** Whether it uses one process of the database, to leave the others to live work. Missing from older workers. */
  givesWay?: boolean;
  /** Whether its graph fits into REEMBED_INDEX_MEMORY_MB. Missing from older workers. */
  fits?: boolean;
  /** Time of the report. */
  time: string;
}

const MINUTE = 60;

/** Says how far a build is. */
export function buildText({ phase, percent, etaSeconds, givesWay, fits }: BuildProgress): string {
  const share = percent === null ? '' : `, ${percent} %`;
  const left = etaSeconds === null ? '' : `, ${timeText(etaSeconds)} left`;
  const inTurn = givesWay === true ? '; one process, to yield to searches and writes' : '';
  const onDisk = fits === false ? '; slower, since it does not fit into REEMBED_INDEX_MEMORY_MB' : '';
  return `${phase}${share}${left}${inTurn}${onDisk}`;
}

function timeText(seconds: number): string {
  if (seconds < 2 * MINUTE) return `about ${Math.max(1, Math.round(seconds))} s`;
  return `about ${Math.round(seconds / MINUTE)} min`;
}
