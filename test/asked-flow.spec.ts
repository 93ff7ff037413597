import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { FlowEvent, QuestionInput } from '../cli/client/api-types.js';
import type { ApiClient } from '../cli/client/api-client.js';
import { SupervisedStack, until } from './support/supervised-stack.js';

jest.setTimeout(600_000);

const TURNS = 6;

/** The untrained model plans; no number that it finds answers the question, so that every turn is used. */
const QUESTION: QuestionInput = {
  question: 'How much larger is the area of Atlantis than the area of Lemuria?',
  model: 'smollm2-135m-instruct',
  max_turns: TURNS,
  seed: 3,
  flow: { tools: ['lookup'], planner: { engine: 'policy', max_tokens: 40 } },
};

describe('I3: an asked flow whose processes are killed goes on and repeats no finished call', () => {
  const stack = new SupervisedStack();
  let client: ApiClient;

  beforeAll(async () => {
    await stack.start();
    client = await stack.client();
  });
  afterAll(() => stack.remove());

  it('ends as it would have ended undisturbed, and its reader is told everything once', async () => {
    const { id } = await client.ask(QUESTION);
    const reading = told(client, id);
    await planning(stack, id, 2);
    process.kill(stack.pid('agent-worker'), 'SIGKILL');
    await planning(stack, id, 4);
    process.kill(stack.pid('api'), 'SIGKILL');
    const events = await reading;

    const flow = await client.getFlow(id);
    expect(flow).toMatchObject({ status: 'completed', turns: TURNS });
    expect(plans(events)).toHaveLength(TURNS);
    expect(events.at(-1)?.type).toBe('flow.completed');
    const sequences = events.map(({ sequence }) => sequence);
    expect(sequences).toEqual([...new Set(sequences)].sort((first, second) => first - second));
    expect(await told(client, id)).toEqual(events);
    expect(callsAfterTheirRecord(stack, id, events)).toEqual([]);

    const { models, tool_calls } = (await client.usage({ run_id: id })).total;
    expect(models.find(({ kind }) => kind === 'planner')).toMatchObject({ name: QUESTION.model, calls: TURNS });
    expect(tool_calls).toBeLessThanOrEqual(TURNS);
    const tools = await fetch(`${client.access.url}/v1/tools`, {
      headers: { Authorization: `Bearer ${client.access.key}` },
    });
    const { data } = (await tools.json()) as { data: { description: { title: string } }[] };
    expect(data.map(({ description }) => description.title)).toEqual(['Calculator', 'Lookup', 'Generator']);

    const { id: undisturbed } = await client.ask(QUESTION);
    expect((await told(client, undisturbed)).map(said)).toEqual(events.map(said));
    expect(stack.requests().filter(({ flow_id }) => flow_id === undisturbed)).toHaveLength(TURNS);
  });
});

const plans = (events: FlowEvent[]) => events.filter(({ type }) => type === 'turn.plan');

async function told(client: ApiClient, id: string): Promise<FlowEvent[]> {
  const events: FlowEvent[] = [];
  for await (const event of client.followFlow(id)) events.push(event);
  return events;
}

/** The planner of this turn has been asked. */
async function planning(stack: SupervisedStack, id: string, turn: number): Promise<void> {
  const asked = () => stack.requests().some((request) => request.flow_id === id && request.turn === turn);
  await until(`turn ${turn} is planned`, () => Promise.resolve(asked()), 20);
}

/** What the model was asked for a turn after that turn's plan had been recorded. */
function callsAfterTheirRecord(stack: SupervisedStack, id: string, events: FlowEvent[]): unknown[] {
  const recordedAt = new Map(plans(events).map(({ data, created_at }) => [data['turn'], Date.parse(created_at)]));
  const requests = stack.requests().filter(({ flow_id }) => flow_id === id);
  expect(requests.length).toBeGreaterThanOrEqual(TURNS);
  return requests.filter(({ turn, time }) => Date.parse(time) > recordedAt.get(turn)!);
}

/** What an event says, without when and how long. */
function said({ type, data }: FlowEvent): unknown {
  return { type, data: { ...data, seconds: null, usage: null } };
}
