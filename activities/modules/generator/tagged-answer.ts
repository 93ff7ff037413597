/** What stands in the last <answer> of a reply, closed or not; without one the whole reply. */
export function taggedAnswer(text: string): string {
  const start = text.toLowerCase().lastIndexOf('<answer>');
  if (start === -1) return text;
  const answer = text.slice(start + '<answer>'.length).split(/<\/answer>/i)[0];
  return answer.trim() || text;
}
