import { patched, setHandler, type ChildWorkflowHandle, type Workflow } from '@temporalio/workflow';
import { holdSignal } from '../contracts/messages.js';

/** A started child that takes `hold`. */
export class HeldChild {
  private wanted: boolean;
  private telling: Promise<void> | undefined;

  /** @param told whether the child was held by its input */
  constructor(
    private readonly child: Pick<ChildWorkflowHandle<Workflow>, 'signal'>,
    private told = false,
  ) {
    this.wanted = told;
  }

  /**
   * Resolves once the child was told the newest value. Sends one signal at a time: if two were under way, the older
   * could come last, and a child that was let go would wait for ever.
   */
  async hold(held: boolean): Promise<void> {
    this.wanted = held;
    if (!patched('holds-are-told-in-order')) return this.tell();
    this.telling ??= this.tellNewest().finally(() => (this.telling = undefined));
    await this.telling;
  }

  private async tellNewest(): Promise<void> {
    while (this.told !== this.wanted) await this.tell();
  }

  /** A child that has ended since cannot be held, and need not be. */
  private async tell(): Promise<void> {
    this.told = this.wanted;
    await this.child.signal(holdSignal, this.told).catch(() => undefined);
  }
}

/** The children of a workflow that takes `hold`. Each is told, also one that starts while it is in force. */
export class HeldChildren {
  private readonly children: HeldChild[] = [];

  /** @param held whether `hold` is in force from the start */
  constructor(
    public held = false,
    changes: (held: boolean) => void = () => undefined,
  ) {
    setHandler(
      holdSignal,
      async (value) => {
        if (value !== this.held) changes(value);
        this.held = value;
        await Promise.all(this.children.map((child) => child.hold(value)));
      },
      { description: 'Stop every open flow before its next activity, or let them go on.' },
    );
  }

  async add(started: ChildWorkflowHandle<Workflow>): Promise<void> {
    const child = new HeldChild(started);
    this.children.push(child);
    if (this.held) await child.hold(true);
  }
}
