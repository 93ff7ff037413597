import { cancellationSignal } from '@temporalio/activity';
import type { DataSource } from 'typeorm';
import { Turn } from '../../infra/database/entities/index.js';
import type { Timed } from '../../contracts/agent-activities.js';
import type { RecordedCalls } from '../engines/model-calls.js';
import type { Sample } from '../modules/planner/planner-engine.js';
import { packFloat32, packInt32 } from './token-bytes.js';
import type { TurnKey } from './turn-key.js';
import { untilWritten } from './until-written.js';

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
   * race, all of them return the record that was first, whatever they produced themselves. What was produced is held
   * while the database is not there (untilWritten).
   * @param signal aborted when the call is cancelled or its time is over; of the activity where absent
   * @returns the output with the seconds that producing it took, those of earlier attempts' calls included
   */
  async once<Output extends object>(
    key: TurnKey,
    produce: () => Promise<Produced<Output>>,
    signal: AbortSignal = cancellationSignal(),
  ): Promise<Timed<Output>> {
    const stored = await this.find<Output>(key);
    if (stored) return stored;
    const started = performance.now();
    const produced = await produce();
    const seconds = (performance.now() - started) / 1000 + (produced.recorded?.earlierSeconds ?? 0);
    const record = { ...produced, output: { ...produced.output, seconds } };
    const first = await untilWritten(signal, async () => {
      await this.record(key, record);
      return this.find<Output>(key);
    });
    if (!first) throw new Error(`The record of ${key.module} in turn ${key.turn} of ${key.flowId} was deleted.`);
    return first;
  }

  private async find<Output>(key: TurnKey): Promise<Timed<Output> | undefined> {
    const turn = await this.dataSource.getRepository(Turn).findOne({ where: { ...key }, select: { output: true } });
    return turn ? (turn.output as Timed<Output>) : undefined;
  }

  private async record(key: TurnKey, { output, sample, recorded }: Produced<object>): Promise<void> {
    const calls = recorded && recorded.calls.length > 0 ? recorded.calls : null;
    await this.dataSource
      .createQueryBuilder()
      .insert()
      .into(Turn)
      .values({ ...key, output, calls, ...(sample && sampleColumns(sample)) })
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
    template: sample.template,
  };
}
