import { withoutThinking } from '../reply/json-object.js';

/** What stands in the last <answer> of a reply, closed or not; without one the whole reply. */
export function taggedAnswer(reply: string): string {
  const text = withoutThinking(reply);
  const start = text.toLowerCase().lastIndexOf('<answer>');
  if (start === -1) return text;
  const answer = text.slice(start + '<answer>'.length).split(/<\/answer>/i)[0];
  return answer.trim() || text;
}
