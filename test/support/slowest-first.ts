import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take longest, on an idle machine half a minute or more, the longest of a project first. A wrong list costs
 * nothing but time.
 */
export const SLOWEST = [
  'pipeline/cut.test.ts',
  'pipeline/truncated.test.ts',
  'pipeline/split-tokens.test.ts',
  'api/adversarial-bodies.test.ts',
  'api/operation.test.ts',

  'protocol/model.test.ts',
  'store/frozen.test.ts',
  'activities/audit/audit.test.ts',
  'api/reads/side-reads.db.test.ts',
  'api/objects.db.test.ts',
  'protocol/exhaustive.test.ts',

  'workflows/reindex/hand-over.test.ts',
  'api/contract/contract.test.ts',
  'temporal/lists/mixed-states.test.ts',
  'workflows/watch.test.ts',
  'workflows/forgetful-worker.test.ts',
  'jobs/duplicates.test.ts',
  'jobs/lane.test.ts',
  'workflows/reindex/batches.test.ts',
  'jobs/both-forms.test.ts',
  'api/tasks/steering.test.ts',
  'workflows/audit.test.ts',
  'workflows/reindex/reindex.test.ts',
  'workflows/delete-index.test.ts',
  'jobs/time.test.ts',
  'jobs/long-lane.test.ts',
  'jobs/scheduled-runs.test.ts',
  'runtime/temporal-tls.temporal.test.ts',

  'docs/pages.test.ts',
  'providers/bad-days.test.ts',
  'torture/torture.test.ts',
  'dashboard/packed.test.ts',
  'upgrade/rolling.test.ts',
  'e2e/live-reindex.test.ts',
  'e2e/encryption.test.ts',
  'e2e/watch.test.ts',
  'dashboard/every-page.test.ts',
  'dashboard/whole-tasks.test.ts',
  'torture/source/source.test.ts',
  'lint/expressions.system.test.ts',
  'cli/dev.system.test.ts',
  'dashboard/outages.test.ts',
  'dashboard/release.test.ts',
];
const TEST = fileURLToPath(new URL('..', import.meta.url));
const PLACES = new Map(SLOWEST.map((file, at) => [path.join(TEST, file), at]));
const placeOf = (file: TestSpecification) => PLACES.get(path.normalize(file.moduleId)) ?? PLACES.size;

/** Begins each project with its slowest files: one of them at the end would run alone. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const order = [...new Set(sorted.map(({ project }) => project))];
    return sorted.sort(
      (one, other) => order.indexOf(one.project) - order.indexOf(other.project) || placeOf(one) - placeOf(other),
    );
  }
}
