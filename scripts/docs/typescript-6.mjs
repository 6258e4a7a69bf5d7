/** TypeDoc reads sources through the API of TypeScript, which version 7 no longer has: it is given version 6. */
import { register } from 'node:module';

const hook = `
export const resolve = (specifier, context, next) =>
  next(specifier.replace(/^typescript(?=$|[/])/, 'typescript-6'), context);
`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
