import type { HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';

/** A request for the health of the API has an answer within two seconds, whatever hangs. */
export const HEALTH_DEADLINE_MS = 1_500;

/** Asks a part whether it works. One call at a time: a part that hangs holds one call, however many clients ask. */
export class PartHealth {
  private asked?: Promise<unknown>;

  /** @param name of the part in sentences */
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly key: string,
    private readonly name: string,
    private readonly ask: () => Promise<unknown>,
  ) {}

  async check(): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check(this.key);
    try {
      await this.answer();
      return indicator.up();
    } catch {
      return indicator.down({ message: `${this.name} does not answer.` });
    }
  }

  /** @throws if the part fails, or does not answer within `HEALTH_DEADLINE_MS` */
  private async answer(): Promise<void> {
    this.asked ??= this.ask().finally(() => (this.asked = undefined));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${HEALTH_DEADLINE_MS} ms`)), HEALTH_DEADLINE_MS);
    });
    try {
      await Promise.race([this.asked, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
