import type { ImageRef } from '../../contracts/flow.js';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
  /** Of a user message. */
  images?: ImageRef[];
}
