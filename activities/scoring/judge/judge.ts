import type { FlowConfig, JudgeConfig } from '../../../contracts/flow-config.js';
import type { FlowRef } from '../../../contracts/flow.js';

export interface JudgeRequest {
  /** Whose answer it is: under it the verdict is kept. */
  flow: FlowRef;
  /** Of the whole run. */
  budget?: FlowConfig['budget'];
  question: string;
  answer: string;
  /** Any of them is right. */
  gold: readonly string[];
  /** Then the right answers are kept nowhere. */
  heldOut: boolean;
}

export interface Judgement {
  equivalent: boolean;
  /** At most 1,000 characters, without the truth of a held-out question. */
  reason: string;
}

/** Decides whether an answer means the same as the right one, where no rule can tell. */
export interface Judge {
  /** @throws whatever its engine throws: an outage is retried and is no judgement (I2) */
  judge(request: JudgeRequest, config: JudgeConfig): Promise<Judgement>;
}
