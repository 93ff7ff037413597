/** Words and phrases, whole and in any case. */
const words = (list: string) => new RegExp(`(?<![\\p{L}\\p{N}])(?:${list})(?![\\p{L}\\p{N}])`, 'iu');
/**
 * What a sentence without these words cannot do: deny, doubt, condition, compare, take back, or give something else.
 * It may be longer than it has to be: what has one of them is no plain prose, and undecided.
 */
const NEGATION =
  "not|\\p{L}+n't|cannot|never|no|none|nor|neither|nobody|nothing|nowhere|without|hardly|barely|un(?:able|known|clear|sure|certain|likely|true|related|supported)";
const DOUBT =
  'may|might|could|would|maybe|perhaps|possibl[ey]|probabl[ey]|likely|plausibl[ey]|presumabl[ey]|seems?|seemed|seemingly|appears?|guess\\p{L}*|doubt\\p{L}*|disput\\p{L}+|debat\\p{L}+|suppos\\p{L}+|assum\\p{L}+|assumption|hypothe\\p{L}+|placeholders?|tentative(?:ly)?|arguabl[ey]|suspect\\p{L}*|rumou?r\\p{L}*|alleged(?:ly)?|(?:is|are) said|if|unless|whether|or|depend\\p{L}*|unconfirmed|hard to|difficult to|anyone|some (?:people )?(?:might|say|think)|coin|toss\\p{L}*|flip\\p{L}*|shot|stab|hunch\\p{L}*|gambl\\p{L}+|lottery|myster\\p{L}+|blank|dead end|undecided|pretend\\p{L}*|imagin\\p{L}+|fiction\\p{L}*';
const CONTRAST =
  'but|however|yet|though|although|despite|instead|rather|alternativ\\p{L}+|otherwise|except|nevertheless|nonetheless|unlike|whereas|than|versus|better|best|more|less|fewer|another|others?|different|differs?|else|also|too|either|as well|equally|prefer\\p{L}*|second|next|previous\\p{L}*|original\\p{L}*|initial\\p{L}*|earlier|formerly|only|just';
const ERROR =
  'wrong\\p{L}*|incorrect\\p{L}*|false\\p{L}*|untrue|invalid|err(?:ed|s)?|errors?|erroneous\\p{L}*|mistak\\p{L}+|mis(?:read|count|calcul|under|interpret|concep|lead|took|quot|spoke|typ|remember|appl|match)\\p{L}*|flaw\\p{L}*|fail\\p{L}*|typos?|off|bogus|nonsense|impossible|absurd|contradict\\p{L}*|conflict\\p{L}*|inconsisten\\p{L}+|inaccura\\p{L}+|disagree\\p{L}*|distract\\p{L}+|tempt\\p{L}+|traps?|decoys?|naive|outdated|fak(?:e|ed)|refut\\p{L}+|disprov\\p{L}+|deni(?:ed|es)|denying|extraneous|down|bad(?:ly)?|poor(?:ly)?|bluff\\p{L}*|made[ -]up|lie|lied|lying|joke|joking|kidding';
const REMOVAL =
  'reject\\p{L}*|eliminat\\p{L}+|exclud\\p{L}+|rul(?:e|ed|es|ing) (?:\\p{L}+ )?out|discard\\p{L}*|dismiss\\p{L}*|discount\\p{L}*|drop\\p{L}*|cross(?:ed)?|strike|struck|scrap\\p{L}*|delet\\p{L}+|remov\\p{L}+|ignor\\p{L}+|disregard\\p{L}*|skip\\p{L}*|withdr\\p{L}+|retract\\p{L}*|take (?:that|it|this)? ?back|avoid\\p{L}*|abandon\\p{L}*|cancel\\p{L}*|overrul\\p{L}+|replac\\p{L}+|supersed\\p{L}+';
const REVISION =
  "wait|hold|actually|in fact|corrections?|corrected|correcting|edit\\p{L}*|oops|whoops|ugh|sorry|apolog\\p{L}+|never ?mind|nope|nah|hm+|scratch|re-?(?:check|examin|consider|calculat|comput|read|think|visit|evaluat|count|assess|do|did|work|call)\\p{L}*|revis\\p{L}+|thoughts?|reflection|chang\\p{L}+|updat\\p{L}+|should|ought|supposed|needs?|must be|let me|let us|let's|stop";
const UNSURE = words([DOUBT, REVISION].join('|'));
const DENYING = words([NEGATION, DOUBT, ERROR, REMOVAL].join('|'));
const TURNING = words([CONTRAST, REVISION].join('|'));
/** What makes the later of two answers the last word. */
const REVISING = words([ERROR, REVISION, 'however|but|instead|then|finally|final|therefore|correct'].join('|'));
/** Who speaks of himself says how he came to the answer, or left it. */
const SPEAKER = words("I|I'm|I've|I'd|I'll|me|my|mine|we|our|you|your");

/** Whether a text denies, doubts or conditions what it speaks of. */
export function isDenying(text: string): boolean {
  return DENYING.test(text);
}

/** Whether a text doubts or conditions what it speaks of. */
export function isUnsure(text: string): boolean {
  return UNSURE.test(text);
}

/** Whether a text compares, corrects, or goes over to something else. */
export function isTurning(text: string): boolean {
  return TURNING.test(text);
}

/** Whether what stands between two answers revises the first. */
export function isRevising(between: string): boolean {
  return REVISING.test(between);
}

/** Whether somebody speaks of himself. */
export function isSpeaking(text: string): boolean {
  return SPEAKER.test(text);
}
