import type { Behave, Behaviour, EmbeddingServer } from '../support/embedding-server.ts';
import type { Random } from './random.ts';

/** How often a request meets a fault. */
const SHARE = 0.12;
const GARBAGE = '<html>502 Bad Gateway</html>';

/** Faults of providers, each for one request. A reversed answer with the right numbers is correct. */
const FAULTS: Record<string, Behaviour> = {
  serverError: { kind: 'error', status: 500 },
  overloaded: { kind: 'error', status: 503, headers: { 'retry-after': '1' } },
  slowDown: { kind: 'error', status: 429, headers: { 'retry-after': '1' } },
  hang: { kind: 'hang' },
  disconnect: { kind: 'disconnect' },
  garbage: { kind: 'raw', status: 200, body: GARBAGE, headers: { 'content-type': 'text/html' } },
  cutOff: { kind: 'raw', status: 200, body: '{"object":"list","data":[{"index":0,"embe' },
  empty: { kind: 'raw', status: 200, body: '{"object":"list","data":[]}' },
  missingVector: { kind: 'missingVector' },
  nullVector: { kind: 'nullVector' },
  reversed: { kind: 'reversed', index: 'right' },
  sameIndex: { kind: 'reversed', index: 'same' },
  outOfRange: { kind: 'reversed', index: 'outOfRange' },
};

/**
 * A provider of embeddings that misbehaves, chosen by the seed. It fails each text at most once, so each text can be
 * embedded in the end: none may be missing, and none may have the vector of another.
 */
export class Provider {
  /** How often each fault occurred. */
  readonly faults: Record<string, number> = {};
  private readonly hit = new Set<string>();
  private readonly random: Random;
  private readonly server: EmbeddingServer;

  constructor(server: EmbeddingServer, random: Random) {
    this.server = server;
    this.random = random;
  }

  misbehave(): void {
    this.server.behave(this.choose);
  }

  behave(): void {
    this.server.behave(() => undefined);
  }

  /** The right vector of any text, including texts that it was never asked for. */
  vectorOf(text: string): number[] {
    return this.server.vectorOf(text);
  }

  private readonly choose: Behave = ({ texts }) => {
    if (!this.random.chance(SHARE) || texts.some((text) => this.hit.has(text))) return undefined;
    const fault = this.random.pick(Object.keys(FAULTS));
    // With one text the order of vectors cannot be wrong.
    if (FAULTS[fault]?.kind === 'reversed' && texts.length === 1) return undefined;
    for (const text of texts) this.hit.add(text);
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
    return FAULTS[fault];
  };
}
