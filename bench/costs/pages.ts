import { constantsOf, TERMS } from './forecast.ts';
import { type Deployment, limitsOf } from './limits.ts';
import type { CostsReport } from './report.ts';
import { dimensionsTable, forecastTable, limitsTable, measuredTable, singleTable, type TextTable } from './text.ts';

/** Sizes to which is extrapolated. */
export const AHEAD_SIZES = [1_000_000, 100_000_000, 1_000_000_000];

/** A large server with the default settings. */
export const DEPLOYMENT: Deployment = { ...TERMS, indexMemoryMb: 256, serverMemoryGb: 256, diskTb: 16 };

/** Returns all tables of a report, by title. */
export function tablesOfReport(
  report: CostsReport,
  { deployment, ahead }: { deployment: Deployment; ahead: readonly number[] },
): Record<
  'costs at three sizes' | 'costs of one write' | 'costs by dimensions' | 'costs ahead' | 'cost limits',
  TextTable
> {
  const constants = constantsOf(report.measured);
  return {
    'costs at three sizes': measuredTable(report, constants),
    'costs of one write': singleTable(constants),
    'costs by dimensions': dimensionsTable(report, constants),
    'costs ahead': forecastTable(constants, ahead, deployment),
    'cost limits': limitsTable(limitsOf(constants, deployment)),
  };
}
