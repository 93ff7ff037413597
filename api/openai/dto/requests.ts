import { z } from 'zod';
import { MAX_IMAGES } from '../../../contracts/images.js';
import { neutralInChat, neutralInResponses } from './neutral.js';

const DATA_URL = /^data:(image\/[a-z]+);base64,/;
const ONE_QUESTION =
  'an agent flow answers one question: its modules have prompts of their own, and it knows no conversation. Send one message of the role user';

const dataUrl = z
  .string()
  .regex(DATA_URL, { error: 'must be a data: URL of a picture, in base64; nothing is fetched' })
  .meta({ title: 'data: URL' });
const detail = z.literal('auto', { error: 'must be "auto", or left out' }).nullish();
const role = z.literal('user', { error: ONE_QUESTION });

/** Of a list of messages only the last can be the question. */
function oneQuestion<T extends z.ZodType>(message: T) {
  return z
    .array(message)
    .min(1)
    .check(({ value, issues }) => {
      if (value.length < 2) return;
      issues.push({ code: 'custom', path: [0], message: ONE_QUESTION, input: undefined });
    });
}

function contentOf<T extends z.ZodType>(part: T) {
  return z.union([z.string(), z.array(part).min(1).max(64)]);
}

const chatPart = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string() }),
  z.strictObject({ type: z.literal('image_url'), image_url: z.strictObject({ url: dataUrl, detail }) }),
]);
const inputPart = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('input_text'), text: z.string() }),
  z.strictObject({ type: z.literal('input_image'), image_url: dataUrl, detail, file_id: z.null().optional() }),
]);

const tokens = z
  .int()
  .min(1)
  .nullish()
  .describe('Most tokens of the text of the answer, if a model writes it. A scripted generator writes a number.');
const common = {
  model: z
    .string()
    .min(1)
    .max(256)
    .describe('`RUN@n`, `RUN@latest`, `RUN@best`, or a name that the operator registered: see the list of models.'),
  stream: z.boolean().nullish(),
};

export const chatRequestSchema = z
  .strictObject({
    ...common,
    messages: oneQuestion(
      z.strictObject({
        role,
        content: contentOf(chatPart).describe(`The question, and at most ${MAX_IMAGES} pictures.`),
        name: z.string().nullish(),
      }),
    ).describe('One message: the question.'),
    stream_options: z
      .strictObject({ include_usage: z.boolean().nullish(), include_obfuscation: z.boolean().nullish() })
      .nullish(),
    seed: z
      .int()
      .min(0)
      .max(0xffff_ffff)
      .nullish()
      .describe('With it the planner samples at its temperature, with this seed.'),
    max_completion_tokens: tokens,
    max_tokens: tokens,
    ...neutralInChat,
  })
  .meta({
    examples: [{ model: 'smollm2-135m-instruct', messages: [{ role: 'user', content: 'What is 7 times 8?' }] }],
  });
export type ChatRequest = z.infer<typeof chatRequestSchema>;

export const responsesRequestSchema = z
  .strictObject({
    ...common,
    input: z
      .union([
        z.string(),
        oneQuestion(
          z.strictObject({
            type: z.literal('message').optional(),
            role,
            content: contentOf(inputPart),
            id: z.string().nullish(),
            status: z.string().nullish(),
          }),
        ),
      ])
      .describe('The question, as text or as one message.'),
    stream_options: z.strictObject({ include_obfuscation: z.boolean().nullish() }).nullish(),
    max_output_tokens: tokens,
    ...neutralInResponses,
  })
  .meta({ examples: [{ model: 'smollm2-135m-instruct', input: 'What is 7 times 8?' }] });
export type ResponsesRequest = z.infer<typeof responsesRequestSchema>;

/** A request in the form of either endpoint, as what it asks. */
export interface AskedQuestion {
  model: string;
  text: string;
  images: { media_type: string; data: string }[];
  /** Where in the request the question is. */
  place: string;
  seed?: number;
  maxTokens?: number;
}

export function askedByChat({ model, messages, seed, ...request }: ChatRequest): AskedQuestion {
  const [{ content }] = messages;
  const parts = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content;
  return {
    model,
    text: parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n'),
    images: parts.flatMap((part) => (part.type === 'image_url' ? [pictureOf(part.image_url.url)] : [])),
    place: 'messages[0].content',
    seed: seed ?? undefined,
    maxTokens: request.max_completion_tokens ?? request.max_tokens ?? undefined,
  };
}

export function askedByResponses({ model, input, max_output_tokens: most }: ResponsesRequest): AskedQuestion {
  const [place, content] = typeof input === 'string' ? ['input', input] : ['input[0].content', input[0].content];
  const parts = typeof content === 'string' ? [{ type: 'input_text' as const, text: content }] : content;
  return {
    model,
    text: parts.flatMap((part) => (part.type === 'input_text' ? [part.text] : [])).join('\n'),
    images: parts.flatMap((part) => (part.type === 'input_image' ? [pictureOf(part.image_url)] : [])),
    place,
    maxTokens: most ?? undefined,
  };
}

function pictureOf(url: string): AskedQuestion['images'][number] {
  const [start, mediaType] = DATA_URL.exec(url)!;
  return { media_type: mediaType, data: url.slice(start.length) };
}
