/**
 * Looks at the database that are shared by all who ask for the same at the same moment: two hundred readers of one run
 * make one query for an event.
 */
export class SharedLooks<Look> {
  private readonly open = new Map<string, Promise<Look>>();

  /**
   * @param key what is asked for, with the number of the moment (WakeupsService): a look that began before it would miss
   * what it is for
   */
  async take(key: readonly (string | number)[], look: () => Promise<Look>): Promise<Look> {
    const name = JSON.stringify(key);
    const known = this.open.get(name);
    if (known) return known;
    const begun = look().finally(() => this.open.delete(name));
    this.open.set(name, begun);
    return begun;
  }
}
