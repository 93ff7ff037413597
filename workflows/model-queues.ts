import { limitedCalls, rolloutCalls, runCalls } from './calls.js';
import type { Plan } from '../contracts/agent-activities.js';
import type { FlowConfig, ModuleConfig, PlannerConfig, ToolEngineConfig } from '../contracts/flow-config.js';
import type { RunSettings } from '../contracts/run-settings.js';
import { notStarted } from './failed-calls.js';

/** Makes a call with the activities of the queue that it belongs on. */
export type Call<T> = (calls: ReturnType<typeof rolloutCalls>) => Promise<T>;

/**
 * Longer than limits let most calls wait; shorter than an operator wants to wait for the news that nobody polls a
 * queue.
 */
const FIRST_WAIT_S = 300;
/** The one tool that asked a language model when plans did not say so yet: such plans are replayed (I9). */
const ASKED_WITHOUT_SAYING = 'generator';

/** Registered names of the language models that calls of the bindings ask; other engines ask none. */
export function modelsOf(...bindings: (ModuleConfig | PlannerConfig | ToolEngineConfig)[]): string[] {
  return bindings.flatMap((binding) => (binding.engine === 'llm' ? [binding.model] : []));
}

/** The same of a plan's execution: its executor, then its tool. */
export function modelsOfExecution(
  { tool, asksModel = tool === ASKED_WITHOUT_SAYING }: Pick<Plan, 'tool' | 'asksModel'>,
  { executor, tool_engine }: Pick<FlowConfig, 'executor' | 'tool_engine'>,
): string[] {
  return asksModel ? modelsOf(executor, tool_engine) : modelsOf(executor);
}

/**
 * Makes a call on the task queue of the first of its language models whose provider has limits, else on the ordinary
 * one. If nobody takes a call, an agent worker is asked whether it polls the queue. If it does, the call goes there
 * again and waits twice as long. If it does not, the call fails with BadConfiguration. Otherwise it fails as the call
 * does.
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
      await runCalls(settings).requireQueue.executeWithOptions({ summary: queue }, [{ queue, model }]);
    }
  }
}
