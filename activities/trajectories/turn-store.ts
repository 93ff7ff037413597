import type { DataSource, EntityManager } from 'typeorm';
import { Turn } from '../../infra/database/entities/index.js';
import type { Timed } from '../../workflows/contracts/agent-activities.js';
import { costOf } from '../engines/budget.js';
import type { RecordedCalls } from '../engines/model-calls.js';
import { wellFormedJson } from '../engines/well-formed.js';
import type { Sample } from '../modules/planner/planner-engine.js';
import { packFloat32, packInt32 } from './token-bytes.js';

export const AGENT_MODULES = [
  'query_analysis',
  'planner',
  'executor',
  'verifier',
  'generator',
  'generator.final',
  'generator.base',
  'judge',
] as const;
export type AgentModule = (typeof AGENT_MODULES)[number];

/**
 * What comes before the first turn, and the answer after the last, stands at turn 0. So does the judge's verdict; where
 * its reply held none, what it was asked next stands at turn 1, and so on.
 */
export const OUTSIDE_TURNS = 0;

export interface TurnKey {
  flowId: string;
  turn: number;
  module: AgentModule;
}

export interface Produced<Output extends object> {
  output: Output;
  sample?: Sample;
  /** Calls of language models that were made for it. */
  recorded?: RecordedCalls;
}

/** Write-once records of what agent modules did (I3). */
export class TurnStore {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Returns the stored record; only where there is none, `produce` is called and its output stored. When attempts
   * race, all of them return the record that was first, whatever they produced themselves.
   * @returns the output with the seconds that producing it took
   */
  async once<Output extends object>(key: TurnKey, produce: () => Promise<Produced<Output>>): Promise<Timed<Output>> {
    const stored = await this.find<Output>(key);
    if (stored) return stored;
    const started = performance.now();
    const produced = await produce();
    const seconds = (performance.now() - started) / 1000;
    await this.record(key, { ...produced, output: { ...produced.output, seconds } });
    const first = await this.find<Output>(key);
    if (!first) throw new Error(`The record of ${key.module} in turn ${key.turn} of ${key.flowId} was deleted.`);
    return first;
  }

  private async find<Output>(key: TurnKey): Promise<Timed<Output> | undefined> {
    const turn = await this.dataSource.getRepository(Turn).findOne({ where: { ...key }, select: { output: true } });
    return turn ? (turn.output as Timed<Output>) : undefined;
  }

  /** The row, and in the same transaction what its calls cost: counted once, like the row itself. */
  private async record(key: TurnKey, produced: Produced<object>): Promise<void> {
    const { recorded } = produced;
    const spent = costOf(recorded?.calls ?? []);
    if (!recorded || spent.calls === 0) {
      await insert(this.dataSource.manager, key, produced);
      return;
    }
    await this.dataSource.transaction(async (manager) => {
      if (await insert(manager, key, produced))
        await manager.query(SPEND, [recorded.runId, spent.calls, spent.tokens, spent.money]);
    });
  }
}

const SPEND = `
  INSERT INTO run_spending (run_id, calls, tokens, money) VALUES ($1, $2, $3, $4)
  ON CONFLICT (run_id) DO UPDATE SET
    calls = run_spending.calls + EXCLUDED.calls,
    tokens = run_spending.tokens + EXCLUDED.tokens,
    money = run_spending.money + EXCLUDED.money`;

/** Whether there was no row yet. */
async function insert(manager: EntityManager, key: TurnKey, produced: Produced<object>): Promise<boolean> {
  const { output, sample, recorded } = produced;
  const calls = recorded && recorded.calls.length > 0 ? wellFormedJson(recorded.calls) : null;
  const inserted = await manager
    .createQueryBuilder()
    .insert()
    .into(Turn)
    .values({ ...key, output: wellFormedJson(output), calls, ...(sample && sampleColumns(sample)) })
    .orIgnore()
    .returning('flow_id')
    .updateEntity(false)
    .execute();
  return (inserted.raw as unknown[]).length > 0;
}

function sampleColumns(sample: Sample): Partial<Omit<Turn, 'prompt' | 'output'>> & { prompt: object } {
  return {
    policyName: sample.policyName,
    policySha256: sample.policySha256,
    promptTokenIds: packInt32(sample.promptTokenIds),
    responseTokenIds: packInt32(sample.responseTokenIds),
    logprobs: packFloat32(sample.logprobs),
    temperature: sample.temperature,
    seed: sample.seed,
    prompt: wellFormedJson(sample.messages),
    template: sample.template,
  };
}
