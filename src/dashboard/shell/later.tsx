import { Alert, Button } from '@mantine/core';
import { type ComponentType, lazy, useSyncExternalStore } from 'react';

const seen = { isMissing: false };
const watchers = new Set<() => void>();

const Nothing = () => null;

/**
 * A part of the frame that is loaded after the frame is painted. One that cannot be loaded is missing, and
 * `MissingBanner` says so: it must not take the page away. Browsers remember that a script could not be loaded, so only
 * another load of the page tries again.
 */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  return lazy(async (): Promise<{ default: ComponentType<Props> }> => {
    try {
      return { default: await load() };
    } catch {
      seen.isMissing = true;
      for (const watcher of watchers) watcher();
      return { default: Nothing };
    }
  });
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Shown on top of every page that lacks a part of its frame, which may be the one that says that the API is away. */
export function MissingBanner() {
  const isMissing = useSyncExternalStore(watch, () => seen.isMissing);
  if (!isMissing) return null;
  return (
    <Alert color="yellow" variant="outline" role="alert" title="A part of this page could not be loaded" mb="md">
      The API may not answer, or have been replaced by another version.{' '}
      <Button size="compact-sm" variant="default" onClick={() => location.reload()}>
        Reload the page
      </Button>
    </Alert>
  );
}
