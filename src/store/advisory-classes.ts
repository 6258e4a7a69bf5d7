/** First keys of the product's advisory locks; the second key is the number of an index, of a source or of a bucket. */
export const GATE_CLASS = 0x7265_656d;
export const CATALOG_CLASS = 0x7265_656e;
export const LINEAGE_CLASS = 0x7265_656f;
export const BUILD_CLASS = 0x7265_6570;
export const SOURCE_CLASS = 0x7265_6571;

/** Classes of locks that block other sessions. */
export const GATE_CLASSES = [GATE_CLASS, CATALOG_CLASS, LINEAGE_CLASS];
