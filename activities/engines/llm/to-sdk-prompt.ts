import type { LanguageModelV3Prompt } from '@ai-sdk/provider';
import type { ChatMessage } from '../chat.js';
import type { ImageReader } from './image-reader.js';

/** Messages in the AI SDK's form, pictures by their bytes. */
export function toSdkPrompt(messages: readonly ChatMessage[], read: ImageReader): Promise<LanguageModelV3Prompt> {
  return Promise.all(messages.map((message) => toSdkMessage(message, read)));
}

async function toSdkMessage(
  { role, content, images = [] }: ChatMessage,
  read: ImageReader,
): Promise<LanguageModelV3Prompt[number]> {
  if (role === 'system') return { role, content };
  const text = { type: 'text' as const, text: content };
  if (role === 'assistant') return { role, content: [text] };
  const files = images.map(async (image) => ({
    type: 'file' as const,
    data: await read(image),
    mediaType: image.mediaType,
  }));
  return { role, content: [text, ...(await Promise.all(files))] };
}
