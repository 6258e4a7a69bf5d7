import type { CallLog } from './accept.ts';
import type { ChaosCounts } from './chaos.ts';
import type { Findings } from './check.ts';
import type { ReindexCounts } from './counts.ts';
import type { Drain } from './drains.ts';
import { missingEvents } from './drills.ts';
import type { Oracle } from './oracle.ts';
import type { Probe } from './probes.ts';
import type { VandalCounts } from './side/vandal.ts';
import { type Distribution, describeStalls, type Stalls } from './stalls.ts';
import type { StopsResult } from './stops/stops.ts';
import type { System } from './system.ts';

export interface Result {
  seed: number;
  seconds: number;
  writes: number;
  objects: number;
  reindexes: number;
  cutovers: number;
  rollbacks: number;
  rollForwards: number;
  approved: number;
  rejected: number;
  /** Searches that were answered; changes of the shares that a new index gets; and what it got. */
  searches: number;
  readsChanged: number;
  shadowed: number;
  canaried: number;
  budgetPauses: number;
  kills: number;
  restarts: number;
  /** Processes stopped for a while (SIGSTOP). */
  freezes: number;
  strikesAtDrain: number;
  /** Manual changes to an alias and two separate indexes, and the writes to these. */
  byHand: VandalCounts & { writes: number };
  canceled: number;
  terminated: number;
  lost: number;
  resurrected: number;
  stale: number;
  duplicates: number;
  orphanedParts: number;
  wrongVectors: number;
  /** Vectors that were computed again from stored data, and compared. */
  comparedVectors: number;
  failedItems: number;
  /** Faults of the provider, and how often each occurred. */
  providerFaults: Record<string, number>;
  /** How long writes waited because of a cut-over, in the whole run; see `Stalls`. */
  maxWriteStallMs: number;
  writeStallMs: Distribution;
  /** While processes die; and at the end of the run, where none dies: the cost of a cut-over. */
  stalls: { chaos: Stalls; calm: Stalls };
  /** How long writes waited while a process was stopped at a point of its work. */
  stops: StopsResult;
  /** Calls that had to be repeated, by error. */
  repeated: Record<string, number>;
  leftOver: { stagedItems: number; locks: number };
  problems: string[];
  ok: boolean;
}

export interface Observed {
  seed: number;
  seconds: number;
  served: number;
  byHand: Result['byHand'];
  searches: number;
  stops: StopsResult;
  vectors: number;
  faults: Record<string, number>;
  oracle: Oracle;
  findings: Findings;
  reindexes: ReindexCounts;
  chaos: ChaosCounts;
  log: CallLog;
  system: System;
  probes: Probe[];
  calmProbes: Probe[];
  drains: Drain[];
  calmFromMs: number;
  problems: string[];
  leftOver: Result['leftOver'];
}

/** The observations, as one line of JSON, and whether all is right. */
export function resultOf(observed: Observed): Result {
  const { findings, reindexes, chaos, log, system, leftOver } = observed;
  const { canceled, terminated, cutovers, rollbacks, rollForwards, approved, rejected } = reindexes;
  const { readsChanged, shadowed, canaried, budgetPauses } = reindexes;
  const counts = Object.fromEntries(Object.entries(findings).map(([kind, found]) => [kind, found.length])) as Record<
    keyof Findings,
    number
  >;
  const problems = [...observed.problems, ...reindexes.unexpected, ...log.violations, ...system.deaths];
  if (leftOver.locks > 0) problems.push(`${leftOver.locks} reindex locks are left`);
  if (cutovers === 0) problems.push('nothing was cut over');
  for (const event of missingEvents(reindexes)) problems.push(`the run had no event of the kind ${event}`);
  const { probes, calmProbes, drains } = observed;
  const writeStallMs = describeStalls([...probes, ...calmProbes], drains).stallMs;
  const inCalm = ({ fromMs }: Drain) => fromMs >= observed.calmFromMs;
  return {
    seed: observed.seed,
    seconds: observed.seconds,
    writes: observed.oracle.writes.length,
    objects: observed.served,
    reindexes: reindexes.reindexes,
    ...{
      cutovers,
      rollbacks,
      rollForwards,
      approved,
      rejected,
      kills: chaos.kills,
      freezes: chaos.freezes,
      restarts: chaos.restarts,
      strikesAtDrain: chaos.atDrain,
    },
    ...{ searches: observed.searches, readsChanged, shadowed, canaried, budgetPauses },
    ...{ canceled, terminated, ...counts },
    byHand: observed.byHand,
    comparedVectors: observed.vectors,
    providerFaults: observed.faults,
    maxWriteStallMs: writeStallMs.max,
    writeStallMs,
    stalls: {
      chaos: describeStalls(
        probes,
        drains.filter((drain) => !inCalm(drain)),
      ),
      calm: describeStalls(calmProbes, drains.filter(inCalm)),
    },
    stops: observed.stops,
    repeated: log.transient,
    leftOver,
    problems,
    ok: problems.length === 0 && Object.values(counts).every((count) => count === 0),
  };
}
