import { Autocomplete } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { sourcesQuery } from './queries.ts';

interface SourceFieldProps {
  value: string;
  onChange: (source: string) => void;
  error: string | undefined;
}

/** The name of a source. */
export function SourceField(props: SourceFieldProps) {
  const sources = useQuery(sourcesQuery).data ?? [];
  return <Autocomplete size="xs" label="Source" data={sources.map(({ name }) => name)} {...props} />;
}
