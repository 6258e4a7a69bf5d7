import { DefaultLogger, Runtime } from '@temporalio/worker';

// The SDK tells of every worker that starts or stops: in tests only what goes wrong matters.
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
});
