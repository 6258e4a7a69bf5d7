/** Variables that tell the processes of the tests, and scripts that use the same support, what the setup prepared. */

/** `host:port` of the Temporal dev server in which each file creates a namespace. */
export const TEMPORAL_VARIABLE = 'TEST_TEMPORAL_ADDRESS';

/** The folder of the built package. */
export const BUILD_VARIABLE = 'TEST_BUILD';

/** The folder of the built dashboard. */
export const DASHBOARD_VARIABLE = 'TEST_DASHBOARD';
