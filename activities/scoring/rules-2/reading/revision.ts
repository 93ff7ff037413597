import { DENIED } from './clauses.js';

/** Before a mark: `It is not \boxed{5}`, `I first got \boxed{5}`, `the wrong answer is \boxed{5}`. */
const DENIED_BEFORE =
  /(?:\b(?:not|never|neither|nor|rather than|instead of|(?:first|initially) (?:got|thought|found|guessed)|wrong|incorrect|false|doubt)|n't)(?:\s+(?:be|it|that|the|my|answer|value|option|choice|is|was|equal|to|:)\b)*:?[\s$*_"'([\\]*$/i;
/** After it: `\boxed{5} is wrong`. */
const DENIED_AFTER =
  /^[^\p{L}\p{N}]*(?:is|was|would be|seems|cannot be|can't be)\s+(?:\p{L}+ly\s+)?(?:wrong|incorrect|false|untrue|not|a mistake|a guess)(?!\p{L})/iu;
const START = String.raw`(?:^|[.!?,:;\n—–…])[\s*_#>"'()]*(?:(?:hmm+|oh|ah|but|so|and|well|ok|okay)\b[,.:…]*\s+)*`;
/** A sentence that begins anew: `Wait, actually C`, `Correction: 6`, `Alternatively, 6`. */
const BEGINS_ANEW = new RegExp(
  `${START}(?:wait|actually|correction|corrected|oops|sorry|scratch that|on second thought|alternatively|hmm+|no[,:;]|let me (?:re-?\\p{L}+|double-?check)|i (?:was wrong|made a mistake|meant?))(?!\\p{L})`,
  'iu',
);
/** A sentence that prefers or allows another answer: `But D fits better`, `However, it may be London`. */
const PREFERS_ANOTHER = new RegExp(
  `${START}(?:but|however|yet|though|although)\\b[^.!?\\n]{0,200}\\b(?:correct|right|wrong|incorrect|answers?|also|instead|better|best|should|may|might|could|perhaps|maybe|possible|possibly|likely)\\b`,
  'iu',
);
/** Of what follows an answer so much is read. */
const MAX_LENGTH = 4_000;

/** Whether what follows an answer takes it back, corrects it, or gives another one beside it. */
export function isRevised(after: string): boolean {
  const read = after.slice(0, MAX_LENGTH);
  const next = /^[\s.,;!?]*[^.!?\n]*/.exec(read)![0];
  return DENIED.test(next) || BEGINS_ANEW.test(read) || PREFERS_ANOTHER.test(read);
}

/** Whether the words on either side of a mark deny what is in it. */
export function isDeniedAround(before: string, after: string): boolean {
  return DENIED_BEFORE.test(before.slice(-200)) || DENIED_AFTER.test(after.slice(0, 200));
}
