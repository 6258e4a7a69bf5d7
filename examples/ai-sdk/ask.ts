/**
 * Lets a language model answer a question from an index, with the AI SDK: it searches as often as it needs to.
 *
 *   OPENAI_API_KEY=… npx tsx examples/ai-sdk/ask.ts docs "Where do big cats rest?"
 */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, stepCountIs } from 'ai';
import { searchTool } from 'reembed/ai';
import { createClient } from 'reembed/client';

const [index = 'docs', question = 'Where do big cats rest?'] = process.argv.slice(2);
const client = createClient({
  baseUrl: process.env.REEMBED_URL ?? 'http://127.0.0.1:7400',
  token: process.env.REEMBED_TOKEN,
});
const provider = createOpenAICompatible({
  name: 'llm',
  baseURL: process.env.LLM_URL ?? 'https://api.openai.com/v1',
  apiKey: process.env.OPENAI_API_KEY,
});

const { text, steps } = await generateText({
  model: provider.chatModel(process.env.LLM_MODEL ?? 'gpt-5-mini'),
  tools: { search: searchTool({ client, index, description: 'Finds facts about animals by meaning.', limit: 3 }) },
  stopWhen: stepCountIs(5),
  system: 'Answer from what the search finds, and name the ids of the texts.',
  prompt: question,
});

for (const { toolCalls } of steps) for (const { input } of toolCalls) console.log(`searched: ${JSON.stringify(input)}`);
console.log(text);
