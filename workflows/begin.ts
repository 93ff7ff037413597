import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import { FailureType } from '../contracts/failures.js';

/**
 * Makes a workflow fail at once if it cannot begin with its input, because somebody else or another version started it.
 * Otherwise its workflow task would be tried again for ever. Whatever is thrown after its first task is left as it is:
 * a defect in our code must not end a run that has done something.
 */
export function beginning<Input extends unknown[], Result>(
  workflow: (...input: Input) => Promise<Result>,
): (...input: Input) => Promise<Result> {
  const begun = async (...input: Input): Promise<Result> => {
    const { historyLength: before, continuedFromExecutionRunId: earlier } = workflowInfo();
    try {
      return await workflow(...input);
    } catch (error) {
      const isFirstTask = earlier === undefined && workflowInfo().historyLength === before;
      if (!isFirstTask || !(error instanceof TypeError || error instanceof RangeError)) throw error;
      const message = `${workflow.name} cannot begin with its input (${error.message}). Submit it to the API, which starts it.`;
      throw ApplicationFailure.nonRetryable(message, FailureType.BadConfiguration);
    }
  };
  return Object.defineProperty(begun, 'name', { value: workflow.name });
}
