import type { AgentFlowTrace } from '../client/api-types.js';
import { ApiRequestError } from '../client/api-errors.js';
import type { CliContext } from '../context.js';
import { describeFlowEvent } from '../output/describe-flow-event.js';

/**
 * Prints what a flow does until it has ended or is paused. The exit code is 1 unless it completed.
 * @param json prints the turns to standard error, and as the last line of standard output one JSON object
 */
export async function watchFlow(context: CliContext, id: string, { json = false }: { json?: boolean }): Promise<void> {
  const client = await context.client();
  const tell = json ? context.note : context.print;
  let away = false;
  const onReconnect = (error: unknown): void => {
    const reason = error instanceof ApiRequestError ? error.message : 'the API is away';
    if (!away) context.note(`The connection is lost (${reason}). The command tries again and misses no event.`);
    away = true;
  };
  for await (const event of client.followFlow(id, { onReconnect })) {
    away = false;
    for (const line of describeFlowEvent(event)) tell(line);
    // Nothing more happens until somebody resumes it.
    if (event.type === 'flow.paused') break;
  }
  const flow = await client.getFlow(id);
  if (json) context.print(JSON.stringify(summary(flow)));
  if (flow.status === 'paused') {
    context.note(
      `To continue it: npx agentflow solve --id ${id} --resume. To end it: npx agentflow solve --id ${id} --cancel`,
    );
  }
  if (flow.status !== 'completed') context.setExitCode(1);
}

function summary({ id, status, outcome, answer, answers, turns, usage, failure }: AgentFlowTrace) {
  return { id, status, outcome, answer, ...(answers && { answers }), turns, usage, ...(failure && { failure }) };
}
