import type { RunConfig } from './run-config.js';
import { QUESTIONS_PER_PAYLOAD } from './run-limits.js';
import { isRecorded } from './training-parts.js';

/**
 * The worst case of a training step against what Temporal takes: a step is one piece of a run's history, because a run
 * continues as new only between two steps. Payloads need no such rule: the largest is the result of a group, 256 rollouts
 * of 4 KB; evaluations have pages of 250 flows, and a run's state does not grow with its steps.
 */

/** Of one history; the server ends a workflow that has more. */
const EVENTS = 51_200;
const HISTORY_BYTES = 50 * 1024 * 1024;
/** What the steps before, messages and pauses may add. */
const MARGIN = 0.9;

/** A child that is started and has ended: three events, and two workflow tasks of three each. */
const EVENTS_PER_GROUP = 9;
/** A round of drawing: an activity and its workflow task. */
const EVENTS_PER_ROUND = 6;
/** Of a rollout in the result of its group: the name of a tool per turn; ids, outcome and reward. */
const TOOL_BYTES = 70;
const OTHER_BYTES = 512;
/** The input of a group: the run's flow and the question. */
const GROUP_INPUT_BYTES = 16 * 1024;

interface Size {
  queries: number;
  /** Times that queries may be drawn. */
  overSample: number;
  groupSize: number;
}

/** Keys whose value makes a step that Temporal does not take, with the largest that fits. */
export function oversized(config: RunConfig): { param: string; message: string }[] {
  const { training } = config;
  if (isRecorded(training)) return [];
  const rollout = rolloutBytes(config);
  const overSample = typeof training.groups === 'string' ? 1 : training.groups.over_sample;
  const size: Size = { queries: training.queries_per_step, overSample, groupSize: training.group_size };
  if (fits(size, rollout)) return [];
  const why = whyNot(size, rollout);
  if (overSample > 1 && fits({ ...size, overSample: 1 }, rollout)) {
    // In hundredths, as one would write it.
    const most = largest(100, Math.floor(overSample * 100), (n) => fits({ ...size, overSample: n / 100 }, rollout));
    return [refusal('training.groups.over_sample', why, most / 100)];
  }
  const most = largest(1, size.queries, (queries) => fits({ ...size, queries }, rollout));
  return [refusal('training.queries_per_step', why, most)];
}

function refusal(param: string, why: string, most: number): { param: string; message: string } {
  return { param, message: `${param}: is too large for one step: ${why}. The largest that fits is ${most}.` };
}

function fits(size: Size, rollout: number): boolean {
  return events(size) <= EVENTS * MARGIN && bytes(size, rollout) <= HISTORY_BYTES * MARGIN;
}

function whyNot(size: Size, rollout: number): string {
  if (events(size) > EVENTS * MARGIN) {
    return `it may add ${events(size)} events to the history of the run, and Temporal takes ${EVENTS}`;
  }
  return `its groups may add ${kb(bytes(size, rollout))} to the history of the run, and Temporal takes ${kb(HISTORY_BYTES)}`;
}

/** If every group but those of the first round is drawn in a round of its own. */
function events({ queries, overSample }: Size): number {
  const groups = Math.floor(queries * overSample);
  const pages = Math.ceil(queries / QUESTIONS_PER_PAYLOAD);
  return groups * EVENTS_PER_GROUP + (pages + groups - queries) * EVENTS_PER_ROUND;
}

function bytes({ queries, overSample, groupSize }: Size, rollout: number): number {
  return Math.floor(queries * overSample) * (GROUP_INPUT_BYTES + groupSize * rollout);
}

/** What a rollout adds to the result of its group, which tells the run no answers: outcome, reward, ids, tools. */
function rolloutBytes({ flow }: RunConfig): number {
  return flow.max_turns * TOOL_BYTES + OTHER_BYTES;
}

/** The largest number from `low`, which fits, to `high` that fits. */
function largest(low: number, high: number, works: (value: number) => boolean): number {
  let [least, most] = [low, high];
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (works(middle)) least = middle;
    else most = middle - 1;
  }
  return least;
}

function kb(size: number): string {
  return `${Math.ceil(size / 1024)} KB`;
}
