import type { JudgeConfig } from '../../../workflows/contracts/flow-config.js';

export interface JudgeRequest {
  question: string;
  answer: string;
  /** Any of them is right. */
  gold: readonly string[];
}

export interface Judgement {
  equivalent: boolean;
  reason: string;
}

/** Decides whether an answer means the same as the right one, where no rule can tell. */
export interface Judge {
  /** @throws whatever its engine throws: an outage is retried and is no judgement (I2) */
  judge(request: JudgeRequest, config: JudgeConfig): Promise<Judgement>;
}
