import { Alert, Box } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { SearchResult } from '../../contract/objects.ts';
import { reembed } from '../api/client.ts';
import { Card } from '../ui/card.tsx';
import { Choice } from '../ui/choice.tsx';
import { Empty, Loading, Problem } from '../ui/states.tsx';
import { type Asked, bodyOf } from './asked.ts';
import { Hits } from './hits.tsx';

interface SideProps {
  label: string;
  name: string;
  names: readonly string[];
  onName: (name: string) => void;
  asked: Asked;
  /** The index of the other side, to compare with. */
  other: string;
}

function useSearch(index: string, asked: Asked) {
  const body = bodyOf(asked);
  return useQuery({
    queryKey: ['search', index, body],
    queryFn: async () => {
      const start = performance.now();
      const result = await reembed.search(index, body);
      return { ...result, ms: performance.now() - start };
    },
    enabled: Boolean(asked.text) && index !== '',
    placeholderData: keepPreviousData,
    retry: false,
  });
}

/** One index and what it finds. */
export function Side({ label, name, names, onName, asked, other }: SideProps) {
  const mine = useSearch(name, asked);
  const theirs = useSearch(other, asked);
  const isAsked = Boolean(asked.text) && name !== '';
  return (
    <Card flush>
      <Box px="md" pt="sm" pb="xs">
        <Choice
          label={label}
          options={names.map((value) => ({ value, label: value || 'none' }))}
          value={name}
          onChange={onName}
        />
      </Box>
      {isAsked && mine.error && <Problem error={mine.error} title="The search failed" />}
      {mine.isLoading && <Loading />}
      {!asked.text && <Empty title="No search yet">Enter a text above.</Empty>}
      {asked.text && name === '' && <Empty title="Nothing to compare with">Choose a second index above.</Empty>}
      {isAsked && mine.data && !mine.error && (
        <>
          <Notes result={mine.data} />
          <Hits
            result={mine.data}
            ms={mine.data.ms}
            other={name === other || theirs.error ? undefined : theirs.data?.hits}
          />
        </>
      )}
    </Card>
  );
}

/** What a result lacks, and why. */
function Notes({ result: { degraded, complete, reason } }: { result: SearchResult }) {
  const notes = [
    degraded === true && 'The model did not answer: only the words of the text were compared.',
    !complete && 'The time was over: more objects may match.',
    reason === 'no-known-words' && 'The model knows no word of the text.',
  ].filter((note) => note !== false);
  if (notes.length === 0) return null;
  return (
    <Alert color="yellow" variant="outline" role="status" mx="md" mb="xs">
      {notes.join(' ')}
    </Alert>
  );
}
