/** Limits of one call and one object. Sizes are in UTF-8 bytes unless the name says otherwise. */
export const LIMITS = {
  /** Characters of an object, index, alias or task id. */
  objectIdChars: 512,
  nameChars: 63,
  taskIdChars: 200,
  /** Characters of the name of a model or of the variable with its key, and of the address of its endpoint. */
  modelNameChars: 200,
  modelUrlChars: 2_000,
  /** One object's payload, as given or loaded. */
  payloadBytes: 10 * 1024 * 1024,
  /** Parts of one object, and the numbers of all its vectors together: 128 MB of single precision. */
  partsPerObject: 20_000,
  vectorNumbersPerObject: 32_000_000,
  metadataBytes: 64 * 1024,
  /** Items of one JSON call; NDJSON has no limit. */
  itemsPerCall: 10_000,
  /** A JSON body with items. */
  bodyBytes: 32 * 1024 * 1024,
  /** Elements and fields of such a body, all levels together. */
  bodyValues: 2_000_000,
  /** Any other JSON body. */
  smallBodyBytes: 2 * 1024 * 1024,
  /** A job's input, and its result: both are kept in the history of its workflow. */
  jobBytes: 256 * 1024,
  /** Payloads and metadata of one page of objects, or of one search; a single object is always given whole. */
  answerBytes: 16 * 1024 * 1024,
  searchLimit: 1_000,
  /** Longest time that one search may be given. */
  searchSeconds: 300,
  listLimit: 1_000,
  /** Characters of a tracker's `detail`. */
  detailChars: 1_500,
  /** Most dimensions pgvector stores, and indexes as `vector` and as `halfvec`. */
  dimensions: 16_000,
  vectorIndexDimensions: 2_000,
  halfvecIndexDimensions: 4_000,
} as const;
