/** An arrow to the right, as a drawing: not all fonts have one. */
export function Arrow() {
  return (
    <svg width="14" height="10" viewBox="0 0 14 10" aria-hidden="true" className="arrow">
      <path d="M0 5h12M8 1l4 4-4 4" fill="none" stroke="currentColor" strokeWidth="1.5" />
    </svg>
  );
}

/** A text whose arrows, if it has any, are drawn. */
export function WithArrows({ text }: { text: string }) {
  const [before, ...after] = text.split(' → ');
  if (after.length === 0) return text;
  return (
    <>
      {before} <Arrow /> {after.join(' ')}
    </>
  );
}
