/**
 * Looks that are shared by those who wait for one: who comes while a look is under way waits for the next, which begins when that
 * one is over. So nobody is given what was seen before they asked, and at most one look of a key is under way at a time.
 */
export class NextLook<Seen> {
  private readonly underWay = new Map<string, Promise<Seen>>();
  private readonly waiting = new Map<string, Promise<Seen>>();

  constructor(private readonly look: (key: string) => Promise<Seen>) {}

  /** @throws what the look throws, to all who share it */
  async of(key: string): Promise<Seen> {
    const known = this.waiting.get(key);
    if (known) return known;
    const earlier = this.underWay.get(key);
    if (!earlier) return this.begin(key);
    const next = earlier.then(
      () => this.beginNext(key),
      () => this.beginNext(key),
    );
    this.waiting.set(key, next);
    return next;
  }

  private async beginNext(key: string): Promise<Seen> {
    this.waiting.delete(key);
    return this.begin(key);
  }

  private async begin(key: string): Promise<Seen> {
    const seen = this.look(key).finally(() => this.underWay.delete(key));
    this.underWay.set(key, seen);
    return seen;
  }
}
