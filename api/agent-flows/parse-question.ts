import type { OperatorFile } from '../../infra/config/operator-file.js';
import type { ApiIssue } from '../common/api-error.js';
import { describeIssues, refusal } from '../training-runs/config/config-issues.js';
import { unregisteredInFlow, unregisteredName } from '../training-runs/config/registered-names.js';
import { questionSchema, type Question } from './dto/question.dto.js';

type Registered = Pick<OperatorFile, 'models' | 'tools' | 'datasets' | 'language_models'>;

/**
 * A submitted body as a complete question: every default filled in, every name registered.
 * @throws ApiError 400 that lists everything that is wrong
 */
export function parseQuestion(body: unknown, registered: Registered): Question {
  const parsed = questionSchema.safeParse(body, { reportInput: true });
  if (!parsed.success) throw refused(describeIssues({ schema: questionSchema, value: body }, parsed.error.issues));
  const issues = [...unregistered(parsed.data, registered), ...contradictions(parsed.data, registered)];
  if (issues.length > 0) throw refused(issues);
  const { max_turns = parsed.data.flow.max_turns, ...question } = parsed.data;
  return { ...question, flow: { ...question.flow, max_turns } };
}

function unregistered({ model, dataset, flow }: Question, registered: Registered): ApiIssue[] {
  const searches = flow.tools.includes('lookup');
  return [
    model === undefined ? undefined : unregisteredName('model', 'model', model, Object.keys(registered.models)),
    searches ? unregisteredName('dataset.name', 'dataset', dataset.name, Object.keys(registered.datasets)) : undefined,
    ...unregisteredInFlow(flow, registered),
  ].filter((issue) => issue !== undefined);
}

/** What would have no effect. */
function contradictions(question: Question, registered: Registered): ApiIssue[] {
  const { flow, policy, images } = question;
  const { engine = 'policy' } = flow.planner;
  const issues: ApiIssue[] = [];
  if (policy !== undefined && engine !== 'policy') {
    issues.push({ param: 'policy', message: `policy: has no meaning with flow.planner.engine: ${engine}` });
  }
  if (flow.scoring.judge) {
    const param = 'flow.scoring.judge';
    issues.push({ param, message: `${param}: has no meaning here: nobody knows the true answer` });
  }
  if (images.length > 0 && !seesImages(question, registered)) {
    issues.push({
      param: 'images',
      message: 'images: no module of the flow asks a language model that takes pictures',
    });
  }
  return issues;
}

function seesImages({ flow }: Question, { language_models: models }: Registered): boolean {
  return [flow.query_analysis, flow.planner, flow.executor, flow.verifier, flow.generator].some(
    (module) => module.engine === 'llm' && models[module.model]?.images,
  );
}

function refused(issues: ApiIssue[]): Error {
  return refusal('invalid_question', 'The question', issues);
}
