import { completeFlow } from '../../agent-flows/testing/flow-rows.js';
import type { Dependencies } from '../../dependencies.module.js';
import { FakeWorkflows } from '../../testing/fake-workflows.js';
import { TestApi } from '../../testing/test-api.js';

/** What a flow's workflow does once it is started. */
export type Work = (flowId: string) => Promise<unknown>;

/** The API with workflows that answer as soon as they are started, or do something else. */
export class AnsweringApi {
  work: Work = (id) => this.complete(id);
  readonly started: string[] = [];

  private constructor(readonly api: TestApi) {}

  static async start(real: Partial<Dependencies> = {}): Promise<AnsweringApi> {
    const workflows = new FakeWorkflows();
    const answering = new AnsweringApi(await TestApi.start({ ...real, workflows: workflows as never }));
    workflows.start = async ({ id }) => {
      answering.started.push(id);
      void answering.work(id);
      return true;
    };
    return answering;
  }

  /** Two turns, and the answer 30184. */
  async complete(id: string): Promise<void> {
    await completeFlow(this.api.database.dataSource, id);
  }

  /** What an OpenAI client is configured with. */
  get client(): { baseURL: string; apiKey: string } {
    return { baseURL: `${this.api.url}/openai/v1`, apiKey: this.api.key };
  }
}
