/** The first keys of the product's advisory locks; the second one is the number of an index, or a bucket. */
export const GATE_CLASS = 0x7265_656d;
export const CATALOG_CLASS = 0x7265_656e;
export const LINEAGE_CLASS = 0x7265_656f;
export const BUILD_CLASS = 0x7265_6570;

/** Those that others wait for while they are held. */
export const GATE_CLASSES = [GATE_CLASS, CATALOG_CLASS, LINEAGE_CLASS];
