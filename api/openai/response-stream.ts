import type { AgentFlowDto } from '../agent-flows/dto/agent-flow.dto.js';
import {
  messageItem,
  reasoningItem,
  summaryPart,
  textPart,
  toOpenResponse,
  toResponse,
  type OutputItem,
} from './dto/response.dto.js';
import type { FlowAnswer } from './flow-answers.service.js';
import type { StreamForm, ToldError } from './send-parts.js';

/**
 * The typed events of a response: one item of reasoning, with a part for each thing that the turns say, then the message.
 * All have a sequence number, and those of an item its index: clients refuse a stream without.
 */
export class ResponseStream implements StreamForm {
  private sequence = 0;
  private readonly told: string[] = [];

  constructor(private readonly flow: AgentFlowDto) {}

  begin(): string {
    const response = toOpenResponse(this.flow);
    return this.event('response.created', { response }) + this.event('response.in_progress', { response });
  }

  reasoning(text: string): string {
    const item = reasoningItem(this.flow, 'in_progress', []);
    const opened = this.told.length === 0 ? this.event('response.output_item.added', { output_index: 0, item }) : '';
    const place = { item_id: item.id, output_index: 0, summary_index: this.told.length };
    this.told.push(text);
    return (
      opened +
      this.event('response.reasoning_summary_part.added', { ...place, part: summaryPart('') }) +
      this.event('response.reasoning_summary_text.delta', { ...place, delta: text }) +
      this.event('response.reasoning_summary_text.done', { ...place, text }) +
      this.event('response.reasoning_summary_part.done', { ...place, part: summaryPart(text) })
    );
  }

  answer(answer: FlowAnswer): string {
    const response = toResponse(this.flow, this.told, answer);
    return (
      this.endOfReasoning(response.output) +
      this.message(answer.answer) +
      this.event('response.completed', { response })
    );
  }

  failed({ code, message }: ToldError): string {
    return this.event('response.failed', { response: toOpenResponse(this.flow, { code, message }) });
  }

  private endOfReasoning([item]: readonly OutputItem[]): string {
    return this.told.length === 0 ? '' : this.event('response.output_item.done', { output_index: 0, item });
  }

  private message(text: string): string {
    const item = messageItem(this.flow, 'in_progress');
    const output_index = this.told.length === 0 ? 0 : 1;
    const place = { item_id: item.id, output_index, content_index: 0 };
    return (
      this.event('response.output_item.added', { output_index, item }) +
      this.event('response.content_part.added', { ...place, part: textPart('') }) +
      this.event('response.output_text.delta', { ...place, delta: text, logprobs: [] }) +
      this.event('response.output_text.done', { ...place, text, logprobs: [] }) +
      this.event('response.content_part.done', { ...place, part: textPart(text) }) +
      this.event('response.output_item.done', { output_index, item: messageItem(this.flow, 'completed', text) })
    );
  }

  private event(type: string, part: object): string {
    const data = JSON.stringify({ type, sequence_number: this.sequence++, ...part });
    return `event: ${type}\ndata: ${data}\n\n`;
  }
}
