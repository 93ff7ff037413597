/** The channel of PostgreSQL on which the id of what has a new event is told, in the transaction that commits it. */
export const EVENT_CHANNEL = 'agentflow_events';

/** What is told on it of a project: ids have no slash. */
export function topicOfProject(project: string): string {
  return `project/${project}`;
}

/** What is told on it if there is an event that a webhook is to be told of. */
export const WEBHOOKS_TOPIC = 'webhooks';

/** What is told on it if there is an upload to be checked. */
export const DATASETS_TOPIC = 'datasets';
