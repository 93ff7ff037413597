import { patched } from '@temporalio/workflow';
import { runCalls } from './calls.js';
import type { EvaluationQueriesInput } from '../contracts/agent-activities.js';
import type { Query } from '../contracts/flow.js';
import { QUESTION_BYTES_PER_PAYLOAD, QUESTIONS_PER_PAYLOAD } from '../contracts/run-limits.js';
import type { RunSettings } from '../contracts/run-settings.js';

/** Flows per execution: about six history events each, far below the 4,096 at which the server wants a new one. */
const FLOWS_PER_EXECUTION = 250;

/** Asks for so many questions; fewer come if more would not fit a payload, or if the dataset ends. */
type Page = (offset: number, size: number) => Promise<Query[]>;

/** So many questions, asked for in pages that each fit a payload, in their order. Fewer only if the dataset ends. */
export async function inPages(count: number, page: Page): Promise<Query[]> {
  const pages = Array.from({ length: Math.ceil(count / QUESTIONS_PER_PAYLOAD) }, (_, i) => {
    const offset = i * QUESTIONS_PER_PAYLOAD;
    return whole(page, offset, Math.min(QUESTIONS_PER_PAYLOAD, count - offset));
  });
  return (await Promise.all(pages)).flat();
}

async function whole(page: Page, offset: number, size: number): Promise<Query[]> {
  const queries = await page(offset, size);
  const isPart = queries.length > 0 && queries.length < size;
  if (!isPart || !patched('pages-are-bounded-in-bytes')) return queries;
  return [...queries, ...(await whole(page, offset + queries.length, size - queries.length))];
}

/** Which held-out questions an evaluation asks, and how far it has come. */
interface Course extends Pick<EvaluationQueriesInput, 'run' | 'dataset'> {
  /** Questions asked so far. */
  asked: number;
  /** Questions to ask in all; absent for all that there are. */
  questions?: number;
  /** Flows of each. */
  trials?: number;
}

/** The questions of one execution of an evaluation, and whether further ones are to follow in the next. */
export async function questionsOfExecution(
  settings: RunSettings,
  { run, dataset, asked, questions = Infinity, trials = 1 }: Course,
): Promise<{ queries: Query[]; more: boolean }> {
  const { evaluationQueries } = runCalls(settings);
  const wanted = Math.min(Math.max(1, Math.floor(FLOWS_PER_EXECUTION / trials)), questions - asked);
  const queries = await inPages(wanted, (offset, count) =>
    evaluationQueries({
      ...(run && { run }),
      dataset,
      offset: asked + offset,
      count,
      bytes: QUESTION_BYTES_PER_PAYLOAD,
    }),
  );
  return { queries, more: queries.length === wanted && asked + wanted < questions };
}
