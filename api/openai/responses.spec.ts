import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import OpenAI from 'openai';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { writeFlowStatus } from '../../infra/database/flow-status.js';
import { AnsweringApi } from './testing/answering-api.js';

const MODEL = 'smollm2-135m-instruct';
const input = 'What is the area of Hexley times 7?';

describe('responses, asked by the official client of Node', () => {
  let answering: AnsweringApi;
  let client: OpenAI;

  beforeAll(async () => {
    answering = await AnsweringApi.start();
    client = new OpenAI({ ...answering.client, maxRetries: 0 });
  });
  beforeEach(() => {
    answering.work = (id) => answering.complete(id);
    answering.started.length = 0;
  });
  afterAll(async () => answering.api.stop());

  const events = async (): Promise<ResponseStreamEvent[]> => {
    const told: ResponseStreamEvent[] = [];
    for await (const event of await client.responses.create({ model: MODEL, input, stream: true })) told.push(event);
    return told;
  };

  it('answers with the answer of one agent flow, what its turns said, and its usage', async () => {
    const { data, response } = await client.responses.create({ model: MODEL, input }).withResponse();
    expect(answering.started).toEqual([data.id]);
    expect(response.headers.get('agent-flow-id')).toBe(data.id);
    expect(data).toMatchObject({
      object: 'response',
      status: 'completed',
      model: MODEL,
      output_text: '30184',
      output: [{ type: 'reasoning' }, { type: 'message', role: 'assistant', status: 'completed' }],
      usage: { input_tokens: 13, output_tokens: 4, total_tokens: 17 },
      error: null,
    });
  });

  it('streams typed events with a sequence number each, and every part of every item begun and done', async () => {
    const told = await events();
    expect(told.map(({ sequence_number }) => sequence_number)).toEqual(told.map((_, i) => i));
    const part = [
      'response.reasoning_summary_part.added',
      'response.reasoning_summary_text.delta',
      'response.reasoning_summary_text.done',
      'response.reasoning_summary_part.done',
    ];
    expect(told.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      ...Array.from({ length: 7 }, () => part).flat(),
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
  });

  it("is put together by the client's own stream helper", async () => {
    const final = await client.responses.stream({ model: MODEL, input }).finalResponse();
    expect(final).toMatchObject({ id: answering.started[0], output_text: '30184', status: 'completed' });
  });

  it('has a message alone if the turns said nothing', async () => {
    answering.work = async (id) => {
      const { dataSource } = answering.api.database;
      const result = { flowId: id, outcome: 'budget_spent' as const, turns: 0, tools: [] };
      await writeFlowStatus(dataSource, { flowId: id, version: 1, status: 'running' });
      await writeFlowStatus(dataSource, { flowId: id, version: 2, status: 'completed', result });
    };
    expect(await client.responses.create({ model: MODEL, input })).toMatchObject({
      output: [{ type: 'message' }],
      output_text: '',
    });
    const added = (await events()).find(({ type }) => type === 'response.output_item.added');
    expect(added).toMatchObject({ output_index: 0, item: { type: 'message' } });
  });

  it('ends a stream with response.failed if the flow fails, in words', async () => {
    answering.work = async (id) => {
      const failure = { type: 'Outage', message: 'nobody answers' };
      await writeFlowStatus(answering.api.database.dataSource, { flowId: id, version: 1, status: 'failed', failure });
    };
    const last = (await events()).at(-1);
    expect(last).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { code: 'agent_flow_failed' } },
    });
    const { error } = (last as { response: OpenAI.Responses.Response }).response;
    expect(error?.message).toContain(`${answering.started[0]} has failed: Outage: nobody answers`);
  });

  it('takes one message with parts, and what clients send unasked', async () => {
    await client.responses.create({
      model: MODEL,
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'Why?' }] }],
      instructions: null,
      tools: [],
      tool_choice: 'auto',
      parallel_tool_calls: true,
      store: true,
      include: [],
      text: { format: { type: 'text' } },
      truncation: 'disabled',
      max_output_tokens: 500,
      metadata: { trace: '1' },
      temperature: 1,
      top_p: 1,
      previous_response_id: null,
    });
    expect(answering.started).toHaveLength(1);
  });

  it.each([
    ['instructions', { instructions: 'Be brief.' }],
    ['previous_response_id', { previous_response_id: 'resp_1' }],
    ['store', { store: false }],
    ['background', { background: true }],
    ['tools', { tools: [{ type: 'web_search' }] }],
    ['temperature', { temperature: 0.5 }],
    ['text.format.type', { text: { format: { type: 'json_object' } } }],
    ['reasoning.effort', { reasoning: { effort: 'high' } }],
    ['include', { include: ['reasoning.encrypted_content'] }],
  ])('refuses %s by name', async (param, body) => {
    const asking = client.responses.create({ model: MODEL, input, ...body } as never);
    await expect(asking).rejects.toMatchObject({ status: 400, code: 'unsupported', param });
    expect(answering.started).toEqual([]);
  });

  it('refuses a conversation by its place, and the planner of a policy', async () => {
    const turns = [
      { role: 'user', content: 'Why?' },
      { type: 'function_call_output', call_id: 'c', output: '7' },
    ];
    const conversation = client.responses.create({ model: MODEL, input: turns as never });
    await expect(conversation).rejects.toMatchObject({ status: 400, param: 'input[1].call_id' });
    const planner = client.responses.create({ model: 'policy:run-1@0', input });
    await expect(planner).rejects.toMatchObject({ status: 400, code: 'unsupported', param: 'model' });
    expect(answering.started).toEqual([]);
  });
});
