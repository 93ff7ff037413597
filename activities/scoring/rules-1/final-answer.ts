/** The part of a text that is its answer. */
export interface FinalAnswer {
  text: string;
  /** Whether the text itself says where its answer is. */
  marked: boolean;
}

const SAID = /(?:final answer|answer|result)\s*(?:is|=|:)\s*[:=]?\s*/gi;

/** The last `<answer>` tag, else the last `\boxed{}`, else what follows the last "the answer is", else all of it. */
export function finalAnswer(output: string): FinalAnswer {
  const tagged = [...output.matchAll(/<answer>([\s\S]*?)<\/answer>/gi)].at(-1)?.[1];
  const text = tagged ?? output;
  const boxed = lastBoxed(text);
  if (boxed !== undefined) return { text: boxed.trim(), marked: true };
  if (tagged !== undefined) return { text: tagged.trim(), marked: true };
  const said = [...text.matchAll(SAID)].at(-1);
  const rest = said && firstLine(text.slice(said.index + said[0].length));
  return rest ? { text: withoutEnd(rest), marked: true } : { text: text.trim(), marked: false };
}

/** The content of the last `\boxed{…}`, whose braces are matched; undefined where there is none or it is not closed. */
function lastBoxed(text: string): string | undefined {
  const start = /.*\\boxed\s*\{/s.exec(text)?.[0].length;
  if (start === undefined) return undefined;
  let depth = 1;
  for (let position = start; position < text.length; position += 1) {
    if (text[position] === '{') depth += 1;
    if (text[position] === '}') depth -= 1;
    if (depth === 0) return text.slice(start, position);
  }
  return undefined;
}

function firstLine(text: string): string {
  return text.trimStart().split('\n', 1)[0].trim();
}

/** Without the marks of emphasis and the full stop around a stated answer; the point of a decimal stays. */
function withoutEnd(text: string): string {
  return text.replace(/^[*_"\s]+|[*_"\s.]+$/g, '');
}
