import type { ProjectEventType } from './events.js';
import type { RunSettings } from './run-settings.js';

/** The type of what a webhook is sent when somebody tries it. */
export const TEST_EVENT = 'webhook.test';
export type DeliveredType = ProjectEventType | typeof TEST_EVENT;

/** `pending`: attempts follow. `delivered`: the receiver has taken it. `failed`: it has not, and there is no attempt left. */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** The workflow of a delivery, by its name. Its id is `<delivery>/<replay>`. */
export const WEBHOOK_DELIVERY_WORKFLOW = 'webhookDelivery';

export interface AttemptDeliveryInput {
  /** Of the delivery. */
  id: string;
  /** How often it had been replayed when its workflow was started: another replay has another workflow. */
  replay: number;
}

export interface WebhookDeliveryInput extends AttemptDeliveryInput {
  settings: RunSettings;
}

/** What follows an attempt. */
export interface AttemptedDelivery {
  /** When to come again, in milliseconds; absent if the delivery is over. */
  nextInMs?: number;
}

export interface WebhookActivities {
  /**
   * One attempt to tell a webhook of an event. What came of it is in the delivery's row. Before its time, and for a
   * delivery that is over, it attempts nothing.
   */
  attemptDelivery(input: AttemptDeliveryInput): Promise<AttemptedDelivery>;
}
