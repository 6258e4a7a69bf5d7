import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { generate } from 'selfsigned';

export interface Certificate {
  cert: string;
  key: string;
}

/** An authority that signs certificates. */
export async function makeAuthority(name: string): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keySize: 2048,
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { cert, key };
}

/** A certificate for a server at these names (default: `127.0.0.1`) or for a client. */
export async function issue(
  ca: Certificate,
  { of, names = [] }: { of: 'server' | 'client'; names?: string[] },
): Promise<Certificate> {
  const altNames =
    names.length > 0 ? names.map((value) => ({ type: 2 as const, value })) : [{ type: 7 as const, ip: '127.0.0.1' }];
  const { cert, private: key } = await generate([{ name: 'commonName', value: `a ${of}` }], {
    keySize: 2048,
    algorithm: 'sha256',
    ca,
    extensions: [
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true },
      { name: 'extKeyUsage', serverAuth: of === 'server', clientAuth: of === 'client' },
      { name: 'subjectAltName', altNames },
    ],
  });
  return { cert, key };
}

/** Writes texts into files of a new folder, and returns their paths. */
export function filesOf<Name extends string>(texts: Record<Name, string>): Record<Name, string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'reembed-certificates-'));
  const entries = Object.entries<string>(texts).map(([name, text]) => {
    const file = path.join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return [name, file];
  });
  return Object.fromEntries(entries);
}
