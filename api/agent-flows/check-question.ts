import type { OperatorFile } from '../../infra/config/operator-file.js';
import { describeIssues, type Checked, type ConfigIssue } from '../../infra/config/submitted/config-issues.js';
import { unregisteredInFlow, unregisteredName } from '../../infra/config/submitted/registered-names.js';
import { impossibleInFlow } from '../../infra/config/submitted/impossible-flow.js';
import { questionSchema, type Question } from './dto/question.dto.js';

type Registered = Pick<OperatorFile, 'models' | 'tools' | 'datasets' | 'language_models'>;

export function checkQuestion(body: unknown, registered: Registered): Checked<Question> {
  const parsed = questionSchema.safeParse(body, { reportInput: true });
  if (!parsed.success) return describeIssues({ schema: questionSchema, value: body }, parsed.error.issues);
  const issues = [
    ...unregistered(parsed.data, registered),
    ...contradictions(parsed.data, registered),
    ...impossibleInFlow(parsed.data.flow, servingModel(parsed.data, registered), registered),
  ];
  if (issues.length > 0) return { issues, more: 0 };
  const { max_turns = parsed.data.flow.max_turns, ...question } = parsed.data;
  return { config: { ...question, flow: { ...question.flow, max_turns } } };
}

/** A policy brings its run's model, which is looked up later. */
function servingModel({ model, policy }: Question, { models }: Registered): string | undefined {
  return model ?? (policy === undefined ? Object.keys(models)[0] : undefined);
}

function unregistered({ model, dataset, flow }: Question, registered: Registered): ConfigIssue[] {
  const searches = flow.tools.includes('lookup');
  return [
    model === undefined ? undefined : unregisteredName('model', 'model', model, Object.keys(registered.models)),
    searches ? unregisteredName('dataset.name', 'dataset', dataset.name, Object.keys(registered.datasets)) : undefined,
    ...unregisteredInFlow(flow, registered),
  ].filter((issue) => issue !== undefined);
}

/** Keys that would have no effect. */
function contradictions(question: Question, registered: Registered): ConfigIssue[] {
  const { flow, policy, images } = question;
  const { engine = 'policy' } = flow.planner;
  const issues: ConfigIssue[] = [];
  if (policy !== undefined && engine !== 'policy') {
    issues.push({ param: 'policy', message: `policy: has no effect with flow.planner.engine: ${engine}` });
  }
  const { judge, undecided, reward } = flow.scoring;
  for (const [key, value] of Object.entries({ judge, undecided, reward })) {
    if (value === undefined || value === 'exact') continue;
    const param = `flow.scoring.${key}`;
    issues.push({
      param,
      message: `${param}: has no effect: the true answer of a question that somebody asks is not known`,
    });
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
