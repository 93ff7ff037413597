import {
  holdsQuestionsOut,
  isBenchmark,
  type DatasetRegistration,
  type DatasetRegistrations,
} from '../operator/datasets.js';
import type { OperatorFile } from '../operator-file.js';
import type { FlowConfig } from '../../../contracts/flow-config.js';
import type { RunConfig } from '../../../contracts/run-config.js';
import type { ConfigIssue } from './config-issues.js';
import { nearest } from './nearest.js';

/** What the operator registered, as far as a configuration may name it (I12). */
export type RegisteredNames = Pick<OperatorFile, 'models' | 'tools' | 'datasets' | 'language_models'> & {
  /** Names of datasets that the project uploaded, which are among the others too. */
  uploads?: readonly string[];
};

/** Every name in a configuration that the operator did not register. */
export function unregisteredNames(config: RunConfig, registered: RegisteredNames): ConfigIssue[] {
  return [
    unregisteredName('model', 'model', config.model, Object.keys(registered.models)),
    unknownDataset('dataset.name', config.dataset.name, registered),
    config.evaluation.dataset && unknownDataset('evaluation.dataset.name', config.evaluation.dataset.name, registered),
    checkTraining(config.dataset.name, registered.datasets[config.dataset.name]),
    nothingToMeasure(config, registered.datasets),
    ...unregisteredInFlow(config.flow, registered),
  ].filter((issue) => issue !== undefined);
}

/** The same for what a flow names. */
export function unregisteredInFlow(
  flow: FlowConfig,
  registered: Pick<RegisteredNames, 'tools' | 'language_models'>,
): ConfigIssue[] {
  const models = Object.keys(registered.language_models);
  const modules = ['planner', 'query_analysis', 'executor', 'verifier', 'generator', 'tool_engine'] as const;
  return [
    ...flow.tools.map((tool, index) => unregisteredName(`flow.tools[${index}]`, 'tool', tool, registered.tools)),
    ...flow.tools.map(namedBefore),
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

function namedBefore(tool: string, index: number, tools: readonly string[]): ConfigIssue | undefined {
  const first = tools.indexOf(tool);
  if (first === index) return undefined;
  const param = `flow.tools[${index}]`;
  return { param, message: `${param}: "${tool}" is named twice: flow.tools[${first}] names it too.` };
}

/** A benchmark is for evaluation only. */
function checkTraining(name: string, entry: DatasetRegistration | undefined): ConfigIssue | undefined {
  if (!isBenchmark(name, entry)) return undefined;
  const param = 'dataset.name';
  return { param, message: `${param}: "${name}" is a benchmark: it has no training questions.` };
}

/** Every run is evaluated: before its first step and after its last at least. */
function nothingToMeasure({ dataset, evaluation }: RunConfig, datasets: DatasetRegistrations): ConfigIssue | undefined {
  if (evaluation.dataset) return nothingToAsk('evaluation.dataset.name', evaluation.dataset.name, datasets);
  return nothingToAsk('dataset.name', dataset.name, datasets, ', or name another dataset in evaluation.dataset');
}

/**
 * A training set none of whose questions are kept for evaluations.
 * @param otherwise what else may be done, as the end of the sentence
 */
export function nothingToAsk(
  param: string,
  name: string,
  datasets: DatasetRegistrations,
  otherwise = '',
): ConfigIssue | undefined {
  if (holdsQuestionsOut(name, datasets)) return undefined;
  const message = `${param}: "${name}" has no held-out questions to evaluate on. Upload or register it with held_out${otherwise}.`;
  return { param, message };
}

export function unknownDataset(
  param: string,
  name: string,
  { datasets, uploads = [] }: Pick<RegisteredNames, 'datasets' | 'uploads'>,
): ConfigIssue | undefined {
  const names = Object.keys(datasets);
  const issue = unregisteredName(param, 'dataset', name, names);
  if (!issue || uploads.length === 0) return issue;
  const registered = names.filter((one) => !uploads.includes(one));
  const [reason] = issue.message.split(' The operator registered: ');
  const message = `${reason} The operator registered: ${registered.join(', ')}. The project uploaded: ${uploads.join(', ')}.`;
  return { param, message };
}

/** @param param the key that holds the name */
export function unregisteredName(
  param: string,
  kind: string,
  name: string,
  registered: readonly string[],
): ConfigIssue | undefined {
  if (registered.includes(name)) return undefined;
  const candidate = nearest(name, registered, () => 3);
  const help = candidate !== undefined ? ` Did you mean "${candidate}"?` : '';
  return {
    param,
    message: `${param}: there is no ${kind} "${name}".${help} The operator registered: ${registered.join(', ')}.`,
  };
}
