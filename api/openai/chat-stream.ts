import type { AgentFlowDto } from '../agent-flows/dto/agent-flow.dto.js';
import { headOf, toAgentFlowPart, toChatUsage, type ChatChunkDto } from './dto/chat.dto.js';
import type { FlowAnswer } from './flow-answers.service.js';
import type { StreamForm, ToldError } from './send-parts.js';

type Delta = ChatChunkDto['choices'][number]['delta'];

const DONE = 'data: [DONE]\n\n';

/**
 * The chunks of a chat completion. A role comes first, the chunk with a finish reason has an empty delta, and usage has a
 * chunk of its own, without choices: clients rely on each of these.
 */
export class ChatStream implements StreamForm {
  constructor(
    private readonly flow: AgentFlowDto,
    private readonly includeUsage: boolean,
  ) {}

  begin(): string {
    return this.delta({ role: 'assistant', content: '' });
  }

  reasoning(text: string): string {
    return this.delta({ reasoning_content: text });
  }

  answer(answer: FlowAnswer): string {
    const finish = this.chunk({
      choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }],
      agent_flow: toAgentFlowPart(this.flow, answer),
    });
    const usage = this.includeUsage ? this.chunk({ choices: [], usage: toChatUsage(answer) }) : '';
    return this.delta({ content: answer.answer }) + finish + usage + DONE;
  }

  failed(error: ToldError): string {
    return data({ error }) + DONE;
  }

  private delta(delta: Delta): string {
    return this.chunk({ choices: [{ index: 0, delta, logprobs: null, finish_reason: null }] });
  }

  private chunk(part: Pick<ChatChunkDto, 'choices' | 'usage' | 'agent_flow'>): string {
    const usage = this.includeUsage ? { usage: null } : {};
    return data({ ...headOf(this.flow), object: 'chat.completion.chunk', ...usage, ...part });
  }
}

function data(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}
