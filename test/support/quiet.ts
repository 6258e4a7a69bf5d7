import { DefaultLogger, Runtime } from '@temporalio/worker';
import { WORKER_HEARTBEAT_MS } from '../../src/temporal/worker-presence.ts';

// The SDK logs every worker that starts or stops: in tests only errors matter.
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  workerHeartbeatInterval: WORKER_HEARTBEAT_MS,
  telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
});
