import { sessionFetch } from './client.ts';
import { currentToken } from './session.ts';

/**
 * Saves the answer of an address of the API as a file. Without a token, the browser writes it while it arrives; with one,
 * which only a script can send, the browser holds it until it is complete. Throws what the API answers instead.
 */
export async function download(path: string, fileName: string): Promise<void> {
  const begun = await sessionFetch(path, { method: 'HEAD' });
  if (!begun.ok) throw new Error(`The API refuses the export: status ${begun.status}.`);
  if (currentToken() === null) return save(path, fileName);
  const response = await sessionFetch(path);
  if (!response.ok) throw new Error(`The API refuses the export: status ${response.status}.`);
  const address = URL.createObjectURL(await response.blob());
  save(address, fileName);
  // The browser has taken the file over by then.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function save(href: string, fileName: string): void {
  const link = document.createElement('a');
  link.href = href;
  link.download = fileName;
  link.click();
}
