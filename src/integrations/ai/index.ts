/**
 * Tools for the Vercel AI SDK: a language model searches an index, or writes to it. Needs `ai`.
 * @module reembed/ai
 */
export { type SearchToolOptions, searchTool } from './search-tool.ts';
export { type UpsertToolOptions, upsertTool } from './upsert-tool.ts';
