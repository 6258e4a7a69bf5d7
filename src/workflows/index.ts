import * as workflows from './all.ts';
import { refuseOtherThan } from './unknown-type.ts';

export * from './all.ts';
/** Runs workflows of all other types. */
export default refuseOtherThan(Object.keys(workflows));
