/** Names of the tags that models put around their thoughts, in angle brackets, square ones or signs of their own. */
const NAMES = ['think', 'thinking', 'thought', 'thoughts', 'reasoning', 'scratchpad', 'seed:think'].join('|');
const TAG = new RegExp(
  [
    `<(?<end>/?)(?:${NAMES})>`,
    String.raw`\[(?<bracketEnd>/?)THINK\]`,
    '◁(?<triangleEnd>/?)think▷',
    String.raw`<\|(?:begin|(?<wordEnd>end))_of_thought\|>`,
  ].join('|'),
  'gi',
);

/** The channels of gpt-oss; the second form is what is left of them if a server drops special tokens. */
const FINAL_CHANNEL =
  /^[^]*<\|channel\|>final(?:<\|constrain\|>\w*)?<\|message\|>|^analysis(?=[A-Z"'\s])[^]*assistantfinal/;
/** What a server should have taken off the end. */
const ENDS = [
  ...['im_end', 'eot_id', 'eom_id', 'end', 'return', 'endoftext', 'end_of_text', 'end_of_solution'].map(
    (n) => `<|${n}|>`,
  ),
  '</s>',
  '<end_of_turn>',
  '<｜end▁of▁sentence｜>',
];
const BEGIN_OF_SOLUTION = /^\s*<\|begin_of_solution\|>/;

/**
 * What a model says, without what it thought before or between: that is not its reply, and may quote actions and answers
 * that it then discards. A thought whose beginning stands in the prompt counts, as does one that is cut off: such a
 * reply is empty. One pass: a reply may consist of tags.
 */
export function withoutThinking(reply: string): string {
  const text = reply.replace(FINAL_CHANNEL, '');
  let said = '';
  let from = 0;
  let thoughtAt: number | undefined;
  for (const match of text.matchAll(TAG)) {
    const { end, bracketEnd, triangleEnd, wordEnd } = match.groups ?? {};
    const after = match.index + match[0].length;
    if (end || bracketEnd || triangleEnd || wordEnd) {
      if (thoughtAt === undefined) said = '';
      thoughtAt = undefined;
      from = after;
    } else if (thoughtAt === undefined) {
      said += text.slice(from, match.index);
      thoughtAt = match.index;
      from = after;
    }
  }
  if (thoughtAt === undefined) said += text.slice(from);
  else if (!endsWithLine(said)) said += text.slice(thoughtAt); // a word about a tag
  return withoutEnds(said.replace(BEGIN_OF_SOLUTION, '')).trim();
}

function endsWithLine(text: string): boolean {
  return text.slice(text.lastIndexOf('\n') + 1).trim() === '';
}

function withoutEnds(text: string): string {
  let length = text.length;
  for (let end: string | undefined = ''; end !== undefined;) {
    length -= end.length;
    while (length > 0 && /\s/.test(text[length - 1])) length -= 1;
    end = ENDS.find((candidate) => text.endsWith(candidate, length));
  }
  return text.slice(0, length);
}
