/** What nobody waits for but the end of the process. */
export class Background {
  private readonly open = new Set<Promise<void>>();

  /** @param work must not throw */
  add(work: Promise<void>): void {
    const noted = work.finally(() => this.open.delete(noted));
    this.open.add(noted);
  }

  async end(): Promise<void> {
    await Promise.all(this.open);
  }
}
