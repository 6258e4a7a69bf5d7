// Entry point of threads and processes when the program runs from its sources: they do not inherit tsx.
import { register } from 'tsx/esm/api';

register();
const { default: runIsolated } = await import('./isolated-entry.ts');
export default runIsolated;
