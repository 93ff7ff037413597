import { closest, distance } from 'fastest-levenshtein';
import {
  holdsQuestionsOut,
  isBenchmark,
  type DatasetRegistration,
  type DatasetRegistrations,
} from '../../../infra/config/operator/datasets.js';
import type { OperatorFile } from '../../../infra/config/operator-file.js';
import type { FlowConfig } from '../../../workflows/contracts/flow-config.js';
import type { RunConfig } from '../../../workflows/contracts/run-config.js';
import type { ApiIssue } from '../../common/api-error.js';

/** What the operator registered, as far as a configuration may name it (I12). */
export type RegisteredNames = Pick<OperatorFile, 'models' | 'tools' | 'datasets' | 'language_models'>;

/** Every name in a configuration that the operator did not register. */
export function unregisteredNames(config: RunConfig, registered: RegisteredNames): ApiIssue[] {
  return [
    unregisteredName('model', 'model', config.model, Object.keys(registered.models)),
    unregisteredName('dataset.name', 'dataset', config.dataset.name, Object.keys(registered.datasets)),
    ...(config.evaluation.dataset
      ? [
          unregisteredName(
            'evaluation.dataset.name',
            'dataset',
            config.evaluation.dataset.name,
            Object.keys(registered.datasets),
          ),
          nothingToAsk('evaluation.dataset.name', config.evaluation.dataset.name, registered.datasets),
        ]
      : []),
    checkTraining(config.dataset.name, registered.datasets[config.dataset.name]),
    ...unregisteredInFlow(config.flow, registered),
  ].filter((issue) => issue !== undefined);
}

/** The same for what a flow names. */
export function unregisteredInFlow(
  flow: FlowConfig,
  registered: Pick<RegisteredNames, 'tools' | 'language_models'>,
): ApiIssue[] {
  const models = Object.keys(registered.language_models);
  const modules = ['planner', 'query_analysis', 'executor', 'verifier', 'generator', 'tool_engine'] as const;
  return [
    ...flow.tools.map((tool, index) => unregisteredName(`flow.tools[${index}]`, 'tool', tool, registered.tools)),
    ...modules.map((name) => {
      const module = flow[name];
      return module.engine === 'llm'
        ? unregisteredName(`flow.${name}.model`, 'language model', module.model, models)
        : undefined;
    }),
    flow.scoring.judge &&
      unregisteredName('flow.scoring.judge.model', 'language model', flow.scoring.judge.model, models),
  ].filter((issue) => issue !== undefined);
}

/** A benchmark is for evaluation only. */
function checkTraining(name: string, entry: DatasetRegistration | undefined): ApiIssue | undefined {
  if (!isBenchmark(name, entry)) return undefined;
  const param = 'dataset.name';
  return { param, message: `${param}: "${name}" is a benchmark: it has no training questions.` };
}

/** A training set none of whose questions are kept for evaluations. */
export function nothingToAsk(param: string, name: string, datasets: DatasetRegistrations): ApiIssue | undefined {
  if (holdsQuestionsOut(name, datasets)) return undefined;
  return { param, message: `${param}: "${name}" holds no questions out: the operator registers how many as held_out.` };
}

/** @param param the key that holds the name */
export function unregisteredName(
  param: string,
  kind: string,
  name: string,
  registered: readonly string[],
): ApiIssue | undefined {
  if (registered.includes(name)) return undefined;
  const candidate = registered.length > 0 ? closest(name, [...registered]) : undefined;
  const near = candidate !== undefined && distance(name, candidate) <= 3;
  const help = near ? ` Did you mean "${candidate}"?` : '';
  return {
    param,
    message: `${param}: there is no ${kind} "${name}".${help} The operator registered: ${registered.join(', ')}.`,
  };
}
