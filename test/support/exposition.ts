/** The metrics of an endpoint, parsed as Prometheus does. */
export class Exposition {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  static async of(url: string, token?: string): Promise<Exposition> {
    const response = await fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    return new Exposition(await response.text());
  }

  /** The sum of the samples with this name and these labels; undefined if there are none. */
  sum(name: string, labels: Record<string, string> = {}): number | undefined {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const values = this.text.split('\n').flatMap((line) => {
      const [, found, inBraces = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      return found === name && wanted.every((one) => inBraces.includes(one)) ? [Number(value)] : [];
    });
    return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
  }
}
