import type { DataSource } from 'typeorm';
import { Turn } from '../../infra/database/entities/index.js';
import type { Timed } from '../../workflows/contracts/agent-activities.js';
import type { Sample } from '../modules/planner/planner-engine.js';
import { packFloat32, packInt32 } from './token-bytes.js';

export const AGENT_MODULES = ['query_analysis', 'planner', 'executor', 'verifier', 'generator'] as const;
export type AgentModule = (typeof AGENT_MODULES)[number];

/** What comes before the first turn, and the answer after the last, stands at turn 0. */
export const OUTSIDE_TURNS = 0;

export interface TurnKey {
  flowId: string;
  turn: number;
  module: AgentModule;
}

export interface Produced<Output extends object> {
  output: Output;
  sample?: Sample;
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
    const { output, sample } = await produce();
    const seconds = (performance.now() - started) / 1000;
    await this.insert(key, { ...output, seconds }, sample);
    const first = await this.find<Output>(key);
    if (!first) throw new Error(`The record of ${key.module} in turn ${key.turn} of ${key.flowId} was deleted.`);
    return first;
  }

  private async find<Output>(key: TurnKey): Promise<Timed<Output> | undefined> {
    const turn = await this.dataSource.getRepository(Turn).findOne({ where: { ...key }, select: { output: true } });
    return turn ? (turn.output as Timed<Output>) : undefined;
  }

  private async insert(key: TurnKey, output: object, sample?: Sample): Promise<void> {
    await this.dataSource
      .createQueryBuilder()
      .insert()
      .into(Turn)
      .values({ ...key, output, ...(sample && sampleColumns(sample)) })
      .orIgnore()
      .updateEntity(false)
      .execute();
  }
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
    prompt: sample.messages,
  };
}
