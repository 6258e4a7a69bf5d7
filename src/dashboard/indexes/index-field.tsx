import { Autocomplete } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { aliasesQuery, indexesQuery } from '../api/queries.ts';

interface IndexFieldProps {
  label?: string;
  description?: string | undefined;
  /** Offers only names of this kind; default: both. */
  only?: 'aliases' | undefined;
  value: string;
  onChange: (index: string) => void;
  error: string | undefined;
  disabled?: boolean;
}

/** The name of an index or an alias. */
export function IndexField({ label = 'Index', only, ...props }: IndexFieldProps) {
  const indexes = useQuery(indexesQuery).data ?? [];
  const aliases = useQuery(aliasesQuery).data ?? [];
  const names = [...aliases.map(({ alias }) => alias), ...(only ? [] : indexes.map(({ name }) => name))];
  return <Autocomplete size="xs" label={label} data={[...new Set(names)]} {...props} />;
}
