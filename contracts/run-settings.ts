/**
 * The operator's patience, in seconds, and queues: from the server-side file, never from a submitted configuration
 * (I12).
 */
export interface RunSettings {
  /** If a trainStep sends no heartbeat for this long, it is given to another worker. */
  train_heartbeat_s: number;
  /** How long a step waits for the trainer worker that holds the run's state before any other may take it. */
  trainer_sticky_s: number;
  /** The same for every other activity; agent workers heartbeat by themselves while a call is open. */
  call_heartbeat_s: number;
  /** How long a call may go on failing for infrastructure reasons before its rollout is excluded. */
  patience_s: number;
  /** How long a group may take in all before its open rollouts are excluded. */
  group_deadline_s: number;
  /** Task queue of each language model whose provider has limits, by the model's registered name. */
  model_queues?: Record<string, string>;
}
