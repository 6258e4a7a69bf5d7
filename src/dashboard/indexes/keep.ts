/** The choice to keep a setting of the source of a reindex. */
export const KEEP = 'same';
