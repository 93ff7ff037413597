import type { ModelCallDependencies } from '../engines/model-calls.js';
import type { ToolRegistry } from '../tools/tool-registry.js';
import type { ToolCallNotes } from '../trajectories/tool-call-notes.js';
import type { TurnStore } from '../trajectories/turn-store.js';

/** What the activities of agent modules are made from. */
export interface ModuleDependencies {
  turns: TurnStore;
  tools: ToolRegistry;
  toolCalls: ToolCallNotes;
  models: ModelCallDependencies;
}
