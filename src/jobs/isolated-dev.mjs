// The entry of threads and processes when the program runs from its sources: neither is given tsx by its parent.
import { register } from 'tsx/esm/api';

register();
const { default: runIsolated } = await import('./isolated.ts');
export default runIsolated;
