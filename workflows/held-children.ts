import { setHandler, type ChildWorkflowHandle, type Workflow } from '@temporalio/workflow';
import { holdSignal } from '../contracts/messages.js';

type Child = ChildWorkflowHandle<Workflow>;

/** The children of a workflow that takes `hold`: each is told, those that start while it is in force included. */
export class HeldChildren {
  private readonly children: Child[] = [];

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
        await Promise.all(this.children.map((child) => tell(child, value)));
      },
      { description: 'Stop every open flow before its next activity, or let them go on.' },
    );
  }

  async add(child: Child): Promise<void> {
    this.children.push(child);
    if (this.held) await tell(child, true);
  }
}

/** A child that has ended since cannot be held, and need not be. */
export async function tell(child: Child, held: boolean): Promise<void> {
  await child.signal(holdSignal, held).catch(() => undefined);
}
