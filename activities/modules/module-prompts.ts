import type { ToolEngineConfig } from '../../contracts/flow-config.js';
import type { Query } from '../../contracts/flow.js';
import type { ChatMessage } from '../engines/chat.js';
import type { ReplyForm } from '../engines/llm/language-model.js';
import type { ModelCalls, Reply } from '../engines/model-calls.js';
import type { PromptTemplate } from './prompt-template.js';

type Style = ToolEngineConfig['prompt'];
export type ModuleTemplates = Readonly<Record<Style, PromptTemplate>>;

/** What a module asks of its engine: a pure function of what the module sees. */
export interface ModuleRequest {
  query: Query;
  /** What the templates' placeholders stand for, by the style of the prompt. */
  values: Record<Style, Readonly<Record<string, string>>>;
  /** Of a full prompt's reply, for models that can be held to it. */
  form?: ReplyForm;
}

/** Asks the engine of a module with the prompt that the configuration chose. */
export function askModule(
  calls: ModelCalls,
  binding: ToolEngineConfig,
  templates: ModuleTemplates,
  { query, values, form }: ModuleRequest,
): Promise<Reply> {
  const template = templates[binding.prompt];
  const held = binding.prompt === 'full' && form !== undefined && calls.repliesInJson(binding);
  const rendered = template.render(values[binding.prompt], { style: held ? 'json' : 'text' });
  const messages = calls.takesImages(binding) ? withImages(rendered, query.images) : rendered;
  return calls.ask(binding, { messages, template: template.sha256, form: held ? form : undefined });
}

/** The question's pictures go with the last message. */
export function withImages(messages: ChatMessage[], images: Query['images']): ChatMessage[] {
  const last = messages.at(-1);
  return last && images?.length ? [...messages.slice(0, -1), { ...last, images }] : messages;
}

/** The form of a reply whose parts are all texts. */
export function textParts(name: string, keys: readonly string[], choices: Record<string, string[]> = {}): ReplyForm {
  const properties = Object.fromEntries(
    keys.map((key) => [key, { type: 'string', ...(choices[key] && { enum: choices[key] }) }]),
  );
  return {
    name,
    strict: true,
    jsonSchema: { type: 'object', properties, required: keys, additionalProperties: false },
  };
}
