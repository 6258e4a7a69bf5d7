import { DefaultLogger, Runtime } from '@temporalio/worker';

// The SDK logs every worker that starts or stops: in tests only errors matter.
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
});
