import { limitedCalls, rolloutCalls } from './calls.js';
import type { FlowConfig, ModuleConfig, PlannerConfig, ToolEngineConfig } from './contracts/flow-config.js';
import type { RunSettings } from './contracts/training-run.js';
import { notStarted } from './failed-calls.js';

/** Makes a call with the activities of the queue that it belongs on. */
export type Call<T> = (calls: ReturnType<typeof rolloutCalls>) => Promise<T>;

/** Longer than limits let most calls wait; shorter than an operator wants to wait for the news that nobody polls a queue. */
const FIRST_WAIT_S = 300;
/** The one tool that asks a language model (ToolContext.generate). */
const GENERATOR = 'generator';

/** Registered names of the language models that calls of the bindings ask; other engines ask none. */
export function modelsOf(...bindings: (ModuleConfig | PlannerConfig | ToolEngineConfig)[]): string[] {
  return bindings.flatMap((binding) => (binding.engine === 'llm' ? [binding.model] : []));
}

/** The same of a turn's execution: its executor, then its tool. */
export function modelsOfExecution(tool: string, config: FlowConfig): string[] {
  return tool === GENERATOR ? modelsOf(config.executor, config.tool_engine) : modelsOf(config.executor);
}

/**
 * Makes a call on the task queue of the first of its language models whose provider has limits, else on the ordinary one.
 * A call that nobody takes goes there again, to wait twice as long, once an agent worker has said that it polls the queue.
 * Fails with BadConfiguration where the worker does not, and as the call does.
 */
export async function callOnQueue<T>(settings: RunSettings, models: readonly string[], call: Call<T>): Promise<T> {
  const queues = settings.model_queues ?? {};
  const model = models.find((name) => Object.hasOwn(queues, name));
  if (model === undefined) return call(rolloutCalls(settings));
  const queue = queues[model];
  for (let waitS = Math.min(FIRST_WAIT_S, settings.patience_s); ; waitS *= 2) {
    try {
      return await call(limitedCalls(settings, queue, waitS));
    } catch (error) {
      if (!notStarted(error)) throw error;
      await rolloutCalls(settings).requireQueue.executeWithOptions({ summary: queue }, [{ queue, model }]);
    }
  }
}
