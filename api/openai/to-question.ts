import type { OperatorFile } from '../../infra/config/operator-file.js';
import { ApiError, badRequest } from '../common/api-error.js';
import type { AskedQuestion } from './dto/requests.js';
import type { NamedModel } from './models.service.js';

type Registered = Pick<OperatorFile, 'tools' | 'datasets'>;
type Flow = Record<string, unknown> & { generator?: { engine: string; max_tokens?: number } };
interface Plan {
  model?: string;
  policy?: string;
  dataset?: { name: string; seed: number };
  flow: Flow;
}

/** The dataset that a flow searches unless another is named. */
const USUAL_DATASET = 'atlas';
/** Of a reply of a language model, unless a configuration says otherwise. */
const USUAL_TOKENS = 2048;

/**
 * A request as a question (`POST /v1/agent_flows`). A policy plans in the flow that its run trains it in; a base model in
 * the flow of a question that says nothing; a language model in all modules, with all registered tools.
 */
export function toQuestion(asked: AskedQuestion, model: NamedModel, registered: Registered): object {
  const { flow, ...plan } = planOf(model, registered);
  return {
    ...plan,
    question: asked.text,
    images: asked.images,
    flow: asked.maxTokens === undefined ? flow : withShorterAnswer(flow, asked.maxTokens),
    ...(asked.seed !== undefined && { seed: asked.seed }),
  };
}

function planOf(model: NamedModel, registered: Registered): Plan {
  switch (model.kind) {
    case 'policy': {
      const { flow, dataset } = model.run.config;
      // What nobody knows the true answer of is not scored.
      const unscored = { ...flow, scoring: {} };
      return { policy: model.name, dataset: { name: dataset.name, seed: dataset.seed }, flow: unscored };
    }
    case 'base':
      return { model: model.name, flow: {} };
    case 'language-model':
      return { flow: allOn(model.name, registered) };
  }
}

function allOn(name: string, { tools, datasets }: Registered): Flow {
  const module = { engine: 'llm', model: name };
  return {
    tools: tools.filter((tool) => tool !== 'lookup' || USUAL_DATASET in datasets),
    query_analysis: module,
    planner: module,
    executor: module,
    verifier: module,
    generator: module,
    tool_engine: module,
  };
}

/** The text of the answer is the generator's. One that is scripted writes a number, and has nothing to shorten. */
function withShorterAnswer(flow: Flow, most: number): Flow {
  const { generator } = flow;
  if (generator === undefined || generator.engine === 'scripted') return flow;
  return { ...flow, generator: { ...generator, max_tokens: Math.min(generator.max_tokens ?? USUAL_TOKENS, most) } };
}

/** The refusal of a question, in terms of the request that it was made from. */
export function inRequestTerms(error: unknown, { model, place }: AskedQuestion): unknown {
  if (!(error instanceof ApiError) || error.code !== 'invalid_question') return error;
  const [issue] = error.options.issues ?? [];
  const isQuestion = /^(question|images)\b/.test(issue?.param ?? '');
  const lines = error.message.slice(error.message.indexOf('\n'));
  if (isQuestion) return badRequest('invalid_request', `${place} cannot be asked:${lines}`, { param: place });
  return badRequest('unusable_model', `The flow of "${model}" cannot be asked:${lines}`, { param: 'model' });
}
