/** Masks a secret. Of a database address, only the credentials and parameters are hidden. */
export function masked(value: string): string {
  const url = /^(postgres(?:ql)?:\/\/)(?:.*@)?([^?]*)/.exec(value);
  return url ? `${url[1]}${value.includes('@') ? '***@' : ''}${url[2]}` : '***';
}
