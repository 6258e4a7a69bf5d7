// Entry point of the splitter threads when the program runs from its sources: they do not inherit tsx from their
// parent.
import { register } from 'tsx/esm/api';

register();
const { default: splitInThread } = await import('./split-thread.ts');
export default splitInThread;
