import { FailureType } from '../../contracts/failures.js';
import { nonRetryable } from '../failures/non-retryable.js';
import type { Tool } from './tool.js';

/** Where tools come from whose number can change while the worker runs. */
export interface ToolSource {
  /** Whether a tool of this name could only be this source's. */
  owns(name: string): boolean;
  /** @throws an outage where the source is not to be reached, BadConfiguration where it has no such tool */
  tool(name: string): Tool;
}

/** The tools that there are. Which of them a configuration may name is the operator's `tools` (I12). */
export class ToolRegistry {
  private readonly tools: ReadonlyMap<string, Tool>;

  /** @throws Error where two tools have one name or title */
  constructor(
    tools: readonly Tool[],
    private readonly sources: readonly ToolSource[] = [],
  ) {
    requireDistinct(tools, ({ name }) => name);
    requireDistinct(tools, titleOf);
    this.tools = new Map(tools.map((tool) => [tool.name, tool]));
  }

  /** Fails with BadConfiguration where no tool has this name, and with an outage where its source is not there. */
  named(name: string): Tool {
    const tool = this.tools.get(name) ?? this.sources.find((source) => source.owns(name))?.tool(name);
    if (!tool) {
      throw nonRetryable(
        FailureType.BadConfiguration,
        `No tool is called "${name}". Registered tools: ${[...this.tools.keys()].join(', ')}.`,
      );
    }
    return tool;
  }

  /**
   * The tools of a flow, in the order of its configuration. Fails as `named` does, and with BadConfiguration where a planner
   * could not tell two of them apart.
   */
  select(names: readonly string[]): Tool[] {
    const tools = names.map((name) => this.named(name));
    try {
      requireDistinct(tools, titleOf);
    } catch (error) {
      throw nonRetryable(FailureType.BadConfiguration, (error as Error).message);
    }
    return tools;
  }
}

function titleOf({ title }: Tool): string {
  return title.toLowerCase();
}

function requireDistinct(tools: readonly Tool[], key: (tool: Tool) => string): void {
  const seen = new Map<string, Tool>();
  for (const tool of tools) {
    const other = seen.get(key(tool));
    if (other) throw new Error(`The tools ${other.name} and ${tool.name} are both called ${key(tool)}.`);
    seen.set(key(tool), tool);
  }
}
