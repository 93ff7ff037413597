/** Values by key, made when they are first asked for. Those that were used last are kept. */
export class RecentlyUsed<Value> {
  private readonly kept = new Map<string, Value>();

  /** @param most how many are kept */
  constructor(private readonly most: number) {}

  /** The kept value, or a new one. A promise that fails is not kept: it is made again. */
  get(key: string, make: () => Value): Value {
    const value = this.kept.get(key) ?? make();
    this.kept.delete(key);
    this.kept.set(key, value);
    if (this.kept.size > this.most) {
      const [oldest] = this.kept.keys();
      this.kept.delete(oldest);
    }
    if (value instanceof Promise) value.catch(() => this.forget(key, value));
    return value;
  }

  private forget(key: string, value: Value): void {
    if (this.kept.get(key) === value) this.kept.delete(key);
  }
}
