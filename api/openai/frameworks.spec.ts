import { setTimeout as sleep } from 'node:timers/promises';
import { createOpenAI } from '@ai-sdk/openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, streamText } from 'ai';
import { writeFlowStatus } from '../../infra/database/flow-status.js';
import { STREAM_BOUNDS } from '../events/sse-writer.js';
import { WAKEUP_BOUNDS } from '../events/wakeups.service.js';
import { AnsweringApi } from './testing/answering-api.js';

const MODEL = 'smollm2-135m-instruct';
const QUESTION = 'What is the area of Hexley times 7?';
const LOOK_MS = 700;

/** With their own defaults, and with retries as they come. */
describe.each(['chat completions', 'responses'])('frameworks on %s', (endpoint) => {
  let answering: AnsweringApi;

  beforeAll(async () => {
    answering = await AnsweringApi.start();
  });
  beforeEach(() => {
    // The reader of a stream is silent for some looks, with a heartbeat at each.
    jest.replaceProperty(STREAM_BOUNDS, 'heartbeatMs', 0);
    jest.replaceProperty(WAKEUP_BOUNDS, 'rarer', 1);
    answering.work = async (id) => {
      await sleep(LOOK_MS);
      await answering.complete(id);
    };
    answering.started.length = 0;
  });
  afterAll(async () => answering.api.stop());

  const fail = () => {
    answering.work = async (flowId) => {
      const failure = { type: 'Outage', message: 'nobody answers' };
      await writeFlowStatus(answering.api.database.dataSource, { flowId, version: 1, status: 'failed', failure });
    };
  };

  describe("LangChain's client", () => {
    const model = () => {
      const { baseURL, apiKey } = answering.client;
      return new ChatOpenAI({
        model: MODEL,
        apiKey,
        configuration: { baseURL },
        useResponsesApi: endpoint === 'responses',
      });
    };

    it('gets the answer and the usage', async () => {
      const message = await model().invoke(QUESTION);
      expect(message.text).toBe('30184');
      expect(message.usage_metadata).toMatchObject({ input_tokens: 13, output_tokens: 4, total_tokens: 17 });
    });

    it('streams the answer', async () => {
      let text = '';
      let tokens = 0;
      for await (const chunk of await model().stream(QUESTION)) {
        text += chunk.text;
        tokens += chunk.usage_metadata?.total_tokens ?? 0;
      }
      expect({ text, tokens }).toEqual({ text: '30184', tokens: 17 });
    });

    it('tells of a flow that fails, and starts no other', async () => {
      fail();
      await expect(model().invoke(QUESTION)).rejects.toThrow('has failed: Outage');
      expect(answering.started).toHaveLength(1);
    });
  });

  describe('the AI SDK', () => {
    const model = () => {
      const openai = createOpenAI(answering.client);
      return endpoint === 'responses' ? openai.responses(MODEL) : openai.chat(MODEL);
    };

    it('gets the answer and the usage, without a warning', async () => {
      const { text, usage, warnings, finishReason } = await generateText({ model: model(), prompt: QUESTION });
      expect({ text, warnings, finishReason }).toEqual({ text: '30184', warnings: [], finishReason: 'stop' });
      expect(usage).toMatchObject({ inputTokens: 13, outputTokens: 4 });
    });

    it('streams the answer', async () => {
      const result = streamText({ model: model(), prompt: QUESTION });
      let text = '';
      for await (const part of result.textStream) text += part;
      expect(text).toBe('30184');
      expect(await result.usage).toMatchObject({ inputTokens: 13, outputTokens: 4 });
      expect(await result.finishReason).toBe('stop');
    });

    it('tells of a flow that fails, and starts no other', async () => {
      fail();
      await expect(generateText({ model: model(), prompt: QUESTION })).rejects.toThrow('has failed: Outage');
      expect(answering.started).toHaveLength(1);
    });

    it('tells of a flow that fails in a stream', async () => {
      fail();
      const errors: unknown[] = [];
      const result = streamText({ model: model(), prompt: QUESTION, onError: ({ error }) => void errors.push(error) });
      await result.consumeStream();
      expect(errors).toHaveLength(1);
      expect((errors[0] as Error).message).toContain('has failed: Outage');
    });
  });
});
