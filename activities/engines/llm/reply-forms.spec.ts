import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { parseStep, STEP_FORM } from '../../modules/planner/parse-step.js';
import { ProviderServer } from './testing/provider-server.js';
import { openTestModel, testRequest } from './testing/test-model.js';

const key = { env: 'TEST_PROVIDER_KEY' };
const bedrock = { kind: 'bedrock', region: 'eu-central-1', key };
const signal = new AbortController().signal;
const tools = [{ name: 'calculator', title: 'Calculator' }];
const { name, jsonSchema: schema } = STEP_FORM;
const PLAN = { justification: 'a sum', context: '1 and 1', sub_goal: '1 + 1', tool: 'Calculator' };

interface Family {
  provider: Record<string, unknown>;
  model: string;
  /** What a request holds for a reply held to the schema; and to JSON, where the provider has such a mode. */
  schema: object;
  json?: object;
}

const chatSchema = { response_format: { type: 'json_schema', json_schema: { name, schema, strict: true } } };
const chat = (provider: Record<string, unknown>): Family => ({
  provider,
  model: 'model-1',
  schema: chatSchema,
  json: { response_format: { type: 'json_object' } },
});
const responses = (provider: Record<string, unknown>): Family => ({
  provider,
  model: 'model-1',
  schema: { text: { format: { type: 'json_schema', name, schema, strict: true } } },
  json: { text: { format: { type: 'json_object' } } },
});
/** What a model that takes no schema is made to call: its input is the reply. */
const toolSpec = { name: 'json', inputSchema: { json: schema } };

/** As the providers document it; the models of one family differ where its provider's models do. */
const FAMILIES: Record<string, Family> = {
  openai: responses({ kind: 'openai', api: 'responses', key }),
  'openai, chat': chat({ kind: 'openai', api: 'chat', key }),
  azure: responses({ kind: 'azure', api: 'responses', key }),
  'azure, chat': chat({ kind: 'azure', api: 'chat', key }),
  anthropic: {
    provider: { kind: 'anthropic', key },
    model: 'claude-sonnet-4-5',
    schema: { output_config: { format: { type: 'json_schema', schema } } },
  },
  'anthropic, before schemas': {
    provider: { kind: 'anthropic', key },
    model: 'claude-3-5-haiku-latest',
    schema: { tools: [{ name: 'json', input_schema: schema }], tool_choice: { type: 'any' } },
  },
  google: {
    provider: { kind: 'google', key },
    model: 'gemini-2.5-flash',
    schema: {
      generationConfig: {
        responseMimeType: 'application/json',
        responseSchema: { type: 'object', properties: schema.properties, required: schema.required },
      },
    },
    json: { generationConfig: { responseMimeType: 'application/json' } },
  },
  xai: chat({ kind: 'xai', key }),
  // It has no mode for schemas: the schema goes with the prompt, which must ask for JSON.
  deepseek: {
    provider: { kind: 'deepseek', key },
    model: 'deepseek-chat',
    schema: {
      response_format: { type: 'json_object' },
      messages: expect.arrayContaining([
        { role: 'system', content: expect.stringMatching(`JSON.*${literally(JSON.stringify(schema))}`) },
      ]),
    },
    json: {
      response_format: { type: 'json_object' },
      messages: expect.arrayContaining([{ role: 'system', content: expect.stringContaining('JSON') }]),
    },
  },
  together: chat({ kind: 'together', key }),
  'bedrock, Claude': {
    provider: bedrock,
    model: 'anthropic.claude-sonnet-4-5-20250929-v1:0',
    schema: { additionalModelRequestFields: { output_config: { format: { type: 'json_schema', schema } } } },
  },
  'bedrock, Nova': {
    provider: bedrock,
    model: 'amazon.nova-lite-v1:0',
    schema: { toolConfig: { tools: [{ toolSpec }], toolChoice: { any: {} } } },
  },
  'openai-compatible': chat({ kind: 'openai-compatible', key }),
};
/** Keys of requests that hold a reply to a form. */
const FORMS = /"(response_format|format|output_config|toolConfig|tool_choice|responseMimeType)":/;

describe('the form of replies', () => {
  const server = new ProviderServer();
  let address: string;

  beforeAll(async () => {
    process.env.TEST_PROVIDER_KEY = 'marked-provider-key-0123456789';
    address = await server.start();
  });
  afterAll(() => server.stop());
  afterEach(() => {
    server.requests.length = 0;
  });

  describe.each(Object.entries(FAMILIES))('%s', (_, { provider, model, schema: heldToSchema, json }) => {
    it('holds a planner’s reply to its schema, and reads the plan', async () => {
      server.behave = () => ({ kind: 'reply', text: JSON.stringify(PLAN) });
      const opened = openTestModel(address, provider, { model, output: 'json-schema' });
      expect(opened.repliesInJson).toBe(true);
      const reply = await opened.generate(testRequest({ form: STEP_FORM }), signal);
      expect(server.requests[0].body).toMatchObject(heldToSchema);
      expect(reply.finishReason).toBe('stop');
      expect(parseStep(reply.text, reply.finishReason, tools)).toMatchObject({ tool: 'calculator', subGoal: '1 + 1' });
    });

    it('asks for a text without any form, and reads the plan', async () => {
      server.behave = () => ({ kind: 'reply', text: 'Sub-Goal: 1 + 1\nTool: Calculator' });
      const opened = openTestModel(address, provider, { model, output: 'text' });
      expect(opened.repliesInJson).toBe(false);
      const reply = await opened.generate(testRequest(), signal);
      expect(JSON.stringify(server.requests[0].body)).not.toMatch(FORMS);
      expect(parseStep(reply.text, reply.finishReason, tools)).toMatchObject({ tool: 'calculator', subGoal: '1 + 1' });
    });

    if (json) {
      it('holds a reply to JSON alone, and reads the plan', async () => {
        server.behave = () => ({ kind: 'reply', text: JSON.stringify(PLAN) });
        const opened = openTestModel(address, provider, { model, output: 'json' });
        const reply = await opened.generate(testRequest({ form: STEP_FORM }), signal);
        const [{ body }] = server.requests;
        expect(body).toMatchObject(json);
        expect(JSON.stringify(body)).not.toContain('"sub_goal"');
        expect(reply.warnings.filter((warning) => !warning.includes('seed'))).toEqual([]);
        expect(parseStep(reply.text, reply.finishReason, tools)).toMatchObject({
          tool: 'calculator',
          subGoal: '1 + 1',
        });
      });
    }
  });

  // xAI's adapter knows the strict mode only; of Google, Anthropic, DeepSeek and Bedrock there is no other.
  it.each([
    { kind: 'openai', api: 'responses', key },
    { kind: 'openai', api: 'chat', key },
    { kind: 'azure', api: 'responses', key },
    { kind: 'azure', api: 'chat', key },
    { kind: 'together', key },
    { kind: 'openai-compatible', key },
    { kind: 'openai-compatible', key, name: 'lm.studio' },
  ])('leaves the strict mode out where a schema has optional keys: $kind $api $name', async (provider) => {
    server.behave = () => ({ kind: 'reply', text: '{}' });
    const model = openTestModel(address, provider, { output: 'json-schema' });
    await model.generate(testRequest({ form: { ...STEP_FORM, strict: false } }), signal);
    expect(JSON.stringify(server.requests[0].body)).toContain('"strict":false');
  });
});

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
