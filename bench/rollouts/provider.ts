import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A provider of language models in a process of its own, with OpenAI's protocol: it answers every module of a flow after
 * the latency of its argument, in seconds. Run by the benchmark; prints its port.
 */
const latencyMs = Number(process.argv[2] ?? 0) * 1000;

interface ChatRequest {
  response_format?: { json_schema?: { name: string } };
}

/** What each module is told, by the name of the form that its reply must have. */
const REPLIES: Record<string, object> = {
  query_analysis: { summary: 'a sum', skills: 'arithmetic', tools: 'the calculator', considerations: 'none' },
  next_step: { justification: 'a sum', context: '347 and 589', sub_goal: '347 + 589', tool: 'Calculator' },
  tool_command: { reasoning: 'a sum', arguments: { expression: '347 + 589' } },
  verdict: { critique: 'the sum was computed', verdict: 'STOP' },
};

const server = createServer((request, response) => {
  void (async () => {
    const { response_format: format } = (await json(request)) as ChatRequest;
    const content = JSON.stringify(REPLIES[format?.json_schema?.name ?? ''] ?? '<answer>936</answer>');
    if (latencyMs > 0) await sleep(latencyMs);
    response.setHeader('Content-Type', 'application/json');
    response.end(
      JSON.stringify({
        id: 'chat-0',
        object: 'chat.completion',
        created: 0,
        model: 'stub',
        choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
        usage: { prompt_tokens: 500, completion_tokens: 40, total_tokens: 540 },
      }),
    );
  })();
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});
