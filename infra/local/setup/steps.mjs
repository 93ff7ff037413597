import { say, stopCommands } from './command.mjs';

/**
 * Runs the steps that are not done yet, each as soon as what it needs is done: downloads run beside what computes. When
 * one fails, the commands of the others are stopped.
 * @param steps each with a title, the steps that it needs, `isDone` and `run`
 * @throws what the first failing step throws, when no command runs any more
 */
export async function runSteps(steps) {
  const begun = new Map();
  const begin = (step) => {
    if (!begun.has(step))
      begun.set(
        step,
        Promise.all(step.needs.map(begin)).then(() => runStep(step, steps)),
      );
    return begun.get(step);
  };
  try {
    await Promise.all(steps.map(begin));
  } catch (error) {
    await stopCommands();
    throw error;
  }
}

async function runStep(step, steps) {
  const done = step.isDone();
  say(`[${steps.indexOf(step) + 1}/${steps.length}] ${step.title}${done ? ': in place' : ''}`);
  if (!done) await step.run();
}
