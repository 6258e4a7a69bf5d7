/**
 * Writes documents to an alias with LangChain, and finds those that a question is about. The alias can get another model
 * by a reindex in the meantime: this program stays as it is.
 *
 *   npx tsx examples/langchain/answer.ts "Where do big cats rest?"
 */
import { createClient } from 'reembed/client';
import { ReembedVectorStore } from 'reembed/langchain';

const [question = 'Where do big cats rest?', index = 'animals'] = process.argv.slice(2);
const client = createClient({
  baseUrl: process.env.REEMBED_URL ?? 'http://127.0.0.1:7400',
  token: process.env.REEMBED_TOKEN,
});

const store = await ReembedVectorStore.fromDocuments(
  [
    { id: 'lion', pageContent: 'Lions sleep in the shade of acacia trees.', metadata: { kind: 'mammal' } },
    { id: 'carp', pageContent: 'Carps live in warm, slow rivers.', metadata: { kind: 'fish' } },
    { id: 'crow', pageContent: 'Crows nest in tall trees near fields.', metadata: { kind: 'bird' } },
  ],
  null, // the model of the index embeds
  { client, index, create: { model: { provider: 'words' } } },
);

for (const [document, score] of await store.similaritySearchWithScore(question, 2)) {
  console.log(`${score.toFixed(2)} ${document.id}: ${document.pageContent}`);
}

// A retriever is what chains and agents of LangChain take.
const retriever = store.asRetriever({ k: 1, filter: { kind: 'fish' } });
for (const document of await retriever.invoke(question)) console.log(`fish: ${document.pageContent}`);
