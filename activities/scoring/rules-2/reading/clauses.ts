/** Words after which what was said before no longer stands. */
export const TAKEN_BACK =
  /\b(?:wait|actually|correction|oops|sorry|rather|instead|scratch that|on second thought|let me re\w*|i (?:was wrong|mean|doubt)|not sure)\b|\bno,/i;
/** That of what was said before itself: `5. That is wrong.` */
export const DENIED =
  /\b(?:that|this|it|which|answer|option|choice)(?:'s| is| was)(?: \w+ly)? (?:wrong|incorrect|false|untrue|not (?:right|correct|true|so)|a (?:mistake|guess))\b|\b(?:isn't|is not|wasn't) (?:right|correct|true)\b/i;

const CROSS = '[✗✘❌❎🚫⛔]\\ufe0f?';
/** A cross before or after an answer: `Paris ❌`. */
export const CROSSED = new RegExp(`^\\s*${CROSS}|${CROSS}[\\s.*_]*$`, 'u');

/** A clause has a verb, or words that no title writes in lower case. */
export const CLAUSE =
  /(?<!\p{L})(?:is|are|was|were|be|been|did|does|do|has|have|had|can|could|will|would|shares?|differs?|both|neither|only|because|born|located|different|same|isn't|aren't|wasn't|weren't|didn't|doesn't|don't|hasn't|haven't|hadn't|not)(?!\p{L})/u;

/** A verb of a sentence that explains an answer: `Victor Hugo died in Paris in 1885.` */
export const EXPLAINS = new RegExp(
  `${CLAUSE.source}|(?<=\\s)(?:\\p{Ll}{2,}ed|made|won|wrote|went|came|began|became|led|held|left|took|gave|means|refers|wins|says|serves|contains|occurs)(?!\\p{L})`,
  'u',
);
/** A line that gives an answer beside the first: `London is also possible.` */
export const ANOTHER_ANSWER =
  /\b(?:also (?:possible|correct|right|true)|alternatively|might|maybe|perhaps|possibl[ey])\b/i;
