import { ReembedError } from '../contract/errors.ts';
import type { IndexConfig } from '../contract/indexes.ts';
import { findCuttingProblem } from '../pipeline/cut.ts';

export interface SplitterCheck {
  /** The folder with the files of tokenizers. */
  tokenizerDir?: string | null | undefined;
  /** The field of the splitter in the input, such as `destSplitter`. */
  field?: string;
}

/** Checks that the parts of an index fit into its model's window, and that its tokenizer can be loaded. Error: `InvalidInput`. */
export async function checkSplitter(
  config: Pick<IndexConfig, 'model' | 'splitter'>,
  { tokenizerDir = null, field = 'splitter' }: SplitterCheck,
): Promise<void> {
  const problem = await findCuttingProblem(config, tokenizerDir);
  if (problem === null) return;
  const issues = [{ path: `${field}.${problem.path}`, message: problem.message }];
  throw new ReembedError('InvalidInput', `${field}.${problem.path}: ${problem.message}`, { issues });
}
