/** Limits of one call and one object. Sizes are in UTF-8 bytes unless the name says otherwise. */
export const LIMITS = {
  /** Characters of an object, index, alias or task id. */
  objectIdChars: 512,
  nameChars: 63,
  taskIdChars: 200,
  /** Characters of the id of a workflow, which other tools may start: the maximum of Temporal. */
  workflowIdChars: 1_000,
  /** Characters of the name of a model or of the variable with its key, and of the address of its endpoint. */
  modelNameChars: 200,
  modelUrlChars: 2_000,
  /** Tokens of one text that a model may be said to read. */
  windowTokens: 10_000_000,
  /** Payload of one object, as sent or loaded. */
  payloadBytes: 10 * 1024 * 1024,
  /** Parts of one object, and numbers in all its vectors: 128 MB in single precision. */
  partsPerObject: 20_000,
  vectorNumbersPerObject: 32_000_000,
  /** Numbers in the ready vectors of one item. */
  vectorNumbersPerItem: 4_000_000,
  metadataBytes: 64 * 1024,
  /** Items of one JSON call; NDJSON has no limit. */
  itemsPerCall: 10_000,
  /** A JSON body with items. */
  bodyBytes: 32 * 1024 * 1024,
  /** Elements and fields of such a body, at all levels. */
  bodyValues: 2_000_000,
  /** Any other JSON body. */
  smallBodyBytes: 2 * 1024 * 1024,
  /** Input of a job, and its result: both are stored in the workflow history. */
  jobBytes: 256 * 1024,
  /** Payloads, metadata and texts in one page of objects, or in one search; a single object is always returned whole. */
  answerBytes: 16 * 1024 * 1024,
  searchLimit: 1_000,
  /** Characters of a text that a search embeds. */
  searchTextChars: 100_000,
  /** Width of a search in the HNSW index: the maximum of pgvector. */
  efSearch: 1_000,
  searchesPerBatch: 64,
  /** Texts that one call embeds, and numbers in its vectors. */
  textsPerEmbed: 256,
  numbersPerEmbed: 500_000,
  /** Indexes that one search reads. */
  indexesPerSearch: 8,
  /** Maximum timeout of one search. */
  searchSeconds: 300,
  listLimit: 1_000,
  /** A query set: its queries, the characters and judgments of one, the highest grade, and the bytes of the body. */
  queriesPerSet: 10_000,
  queryChars: 10_000,
  judgmentsPerQuery: 1_000,
  grade: 1_000,
  querySetBytes: 16 * 1024 * 1024,
  /** Sampled searches of one alias: the newest ones. */
  sampledSearches: 10_000,
  /** Events in the history of one object: the newest ones. */
  historyPerObject: 50,
  /** Places of a result that an evaluation compares. */
  evaluationDepth: 100,
  /** Broken objects that an audit lists; all are counted. */
  auditListed: 10_000,
  /** Characters of a tracker's `detail`. */
  detailChars: 1_500,
  /** Maximum dimensions that pgvector stores, and that it indexes as `vector` and as `halfvec`. */
  dimensions: 16_000,
  vectorIndexDimensions: 2_000,
  halfvecIndexDimensions: 4_000,
  /** With one bit per number. */
  bitIndexDimensions: 64_000,
} as const;
