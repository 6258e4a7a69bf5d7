/** The logo: two circling arrows. */
export function Logo({ size = 24 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="#364fc7" />
      <g fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" strokeLinejoin="round">
        <path d="M8 12.500h13.500M18 8.500l4 4-4 4" />
        <path d="M24 20H10.500M14 16.500l-4 3.500 4 4" opacity=".62" />
      </g>
    </svg>
  );
}
