/** Whose row it is: an activity's agent module, or the judge. */
export type AgentModule =
  'query_analysis' | 'planner' | 'executor' | 'verifier' | 'generator' | 'generator.final' | 'generator.base' | 'judge';

/**
 * What comes before the first turn, and the answer after the last, stands at turn 0. So does the judge's verdict; where
 * its reply held none, what it was asked next stands at turn 1, and so on.
 */
export const OUTSIDE_TURNS = 0;

/** The place of what an agent module did. */
export interface TurnKey {
  flowId: string;
  turn: number;
  module: AgentModule;
}
