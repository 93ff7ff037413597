import { z } from 'zod';

/*
 * Parameters of OpenAI's API that an agent flow has no use for. Clients send many of them unasked, so each is taken with
 * the values that ask for nothing, and refused with any other.
 */

/** Only these values, which say what is done anyway. */
function only(...values: (string | number | boolean)[]) {
  const shown = values.map((value) => JSON.stringify(value)).join(' or ');
  return z
    .literal(values, { error: `an agent flow does not support it: it must be ${shown}, or left out` })
    .nullish()
    .meta({ description: 'Any other value is refused.' });
}

const UNSUPPORTED = 'an agent flow does not support it: leave it out';
const noneOf = () =>
  z
    .array(z.unknown(), { error: UNSUPPORTED })
    .max(0, { error: UNSUPPORTED })
    .nullish()
    .meta({ description: 'Must be empty.' });
const absent = () => z.null({ error: UNSUPPORTED }).optional();
const label = (length = 512) => z.string().max(length).nullish().describe('Taken and not kept.');

/** What both endpoints have. */
const neutral = {
  temperature: only(0, 1).describe(
    'A flow takes its likeliest tokens; with `seed` it samples at the temperature of its configuration. 0 and 1, which many clients send unasked, are taken, and change nothing.',
  ),
  top_p: only(1),
  top_logprobs: only(0),
  tools: noneOf().describe('Must be empty: a flow has the tools of its configuration.'),
  tool_choice: only('auto', 'none'),
  parallel_tool_calls: z.boolean().nullish().describe('Without tools it says nothing.'),
  service_tier: only('auto', 'default'),
  metadata: z.record(z.string().max(64), z.string().max(512)).nullish().describe('Taken and not kept.'),
  user: label(),
  safety_identifier: label(),
  prompt_cache_key: label(),
};

export const neutralInChat = {
  ...neutral,
  n: only(1),
  presence_penalty: only(0),
  frequency_penalty: only(0),
  logit_bias: z.record(z.string(), z.never({ error: UNSUPPORTED })).nullish(),
  logprobs: only(false),
  stop: noneOf(),
  response_format: z.strictObject({ type: only('text') }).nullish(),
  modalities: z.array(z.literal('text', { error: UNSUPPORTED })).nullish(),
  functions: noneOf(),
  function_call: only('auto', 'none'),
  store: z.boolean().nullish().describe('A flow is kept until it is deleted, whatever this says.'),
};

export const neutralInResponses = {
  ...neutral,
  instructions: only('').describe('Must be empty: the modules of a flow have prompts of their own.'),
  previous_response_id: absent(),
  conversation: absent(),
  prompt: absent(),
  max_tool_calls: absent(),
  include: noneOf(),
  background: only(false),
  store: only(true).describe('A flow is kept until it is deleted.'),
  truncation: only('disabled', 'auto'),
  reasoning: z
    .strictObject({ effort: absent(), summary: z.enum(['auto', 'concise', 'detailed']).nullish() })
    .nullish()
    .describe('The turns are told in any case; an effort is refused.'),
  text: z
    .strictObject({ format: z.strictObject({ type: only('text') }).nullish(), verbosity: only('medium') })
    .nullish(),
};
