import { expect, test } from 'vitest';
import { buildText } from '../../src/contract/build-progress.ts';

const time = '2026-03-01T12:00:00.000Z';

test.each([
  [{ phase: 'building', percent: null, etaSeconds: null, time }, 'building'],
  [{ phase: 'loading', percent: 40, etaSeconds: 90, time }, 'loading, 40 %, about 90 s left'],
  [
    { phase: 'loading', percent: 40, etaSeconds: 600, givesWay: true, time },
    'loading, 40 %, about 10 min left; one process, to yield to searches and writes',
  ],
  [
    { phase: 'loading', percent: 4, etaSeconds: null, givesWay: false, fits: false, time },
    'loading, 4 %; slower, since it does not fit into REEMBED_INDEX_MEMORY_MB',
  ],
])('a build %j is shown as "%s"', (progress, text) => expect(buildText(progress)).toBe(text));
