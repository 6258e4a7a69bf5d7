import { useDocumentVisibility } from '@mantine/hooks';
import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

export interface Live<T> {
  data: T | undefined;
  error: unknown;
  /** False while reconnecting. */
  connected: boolean;
  /** Whether the stream has ended. */
  ended: boolean;
}

export interface LiveOptions {
  signal: AbortSignal;
  onConnection: (error: unknown) => void;
}

const AGAIN_MS = 3_000;

/**
 * Returns the last event of a stream. It is stored in the query cache, so that it is available immediately when the
 * user returns to the page. A hidden page does not listen, because browsers allow few connections at a time.
 */
export function useLive<T>(key: QueryKey, open: (options: LiveOptions) => AsyncIterable<T>): Live<T> {
  const cache = useQueryClient();
  const hidden = useDocumentVisibility() === 'hidden';
  const name = JSON.stringify(key);
  const [state, setState] = useState<Omit<Live<T>, 'data'> & { name: string; data: T | undefined }>(() => blank(name));

  // biome-ignore lint/correctness/useExhaustiveDependencies: the key names all that the stream depends on
  useEffect(() => {
    if (hidden) return;
    const left = new AbortController();
    let again: ReturnType<typeof setTimeout> | undefined;
    // The client retries automatically; until it has a response, the last data is shown.
    const onConnection = (error: unknown) => {
      if (left.signal.aborted) return;
      const connected = error === null;
      setState((before) => (before.connected === connected ? before : { ...before, name, connected }));
    };
    const listen = async () => {
      try {
        for await (const data of open({ signal: left.signal, onConnection })) {
          cache.setQueryData(key, data);
          setState({ name, data, error: null, connected: true, ended: false });
        }
        setState((before) => ({ ...before, connected: true, ended: true }));
      } catch (error) {
        if (left.signal.aborted) return;
        setState((before) => ({ ...before, name, error, connected: false }));
        again = setTimeout(listen, AGAIN_MS);
      }
    };
    void listen();
    return () => {
      left.abort();
      clearTimeout(again);
    };
  }, [name, hidden, cache]);

  const { name: _name, ...live } = state.name === name ? state : blank<T>(name);
  return { ...live, data: live.data ?? cache.getQueryData<T>(key) };
}

function blank<T>(name: string): Live<T> & { name: string } {
  return { name, data: undefined, error: null, connected: true, ended: false };
}
