import { FailureType } from '../../workflows/contracts/failures.js';
import { nonRetryable } from '../failures/non-retryable.js';
import type { Tool } from './tool.js';

/** The tools that the operator registered. */
export class ToolRegistry {
  private readonly tools: ReadonlyMap<string, Tool>;

  constructor(tools: readonly Tool[]) {
    this.tools = new Map(tools.map((tool) => [tool.name, tool]));
  }

  /** Fails with BadConfiguration where no tool has this name. */
  named(name: string): Tool {
    const tool = this.tools.get(name);
    if (!tool) {
      throw nonRetryable(
        FailureType.BadConfiguration,
        `No tool is called "${name}". Registered tools: ${[...this.tools.keys()].join(', ')}.`,
      );
    }
    return tool;
  }

  /** The tools of a flow, in the order of its configuration. */
  select(names: readonly string[]): Tool[] {
    return names.map((name) => this.named(name));
  }
}
