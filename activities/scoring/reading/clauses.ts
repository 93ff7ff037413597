const CROSSES = '[✗✘❌❎🚫⛔👎]\\ufe0f?';
/** A cross, wherever it is. */
export const CROSS = new RegExp(CROSSES, 'u');
/** A cross before or after an answer: `Paris ❌`. */
export const CROSSED = new RegExp(`^\\s*${CROSSES}|${CROSSES}[\\s.*_]*$`, 'u');

/** A clause has a verb, or words that no title writes in lower case. */
export const CLAUSE =
  /(?<!\p{L})(?:is|are|was|were|be|been|did|does|do|has|have|had|can|could|will|would|shares?|differs?|both|neither|only|because|born|located|different|same|isn't|aren't|wasn't|weren't|didn't|doesn't|don't|hasn't|haven't|hadn't|not)(?!\p{L})/u;

/** A verb of a sentence that explains an answer: `Victor Hugo died in Paris in 1885.` */
export const EXPLAINS = new RegExp(
  `${CLAUSE.source}|(?<=\\s)(?:\\p{Ll}{2,}ed|made|won|wrote|went|came|began|became|led|held|left|took|gave|means|refers|wins|says|serves|contains|occurs)(?!\\p{L})`,
  'u',
);
/** Verbs behind which a value is said: `She has 5`. */
export const HAVING =
  'is|are|was|were|equals?|has|have|had|costs?|takes?|took|gets?|got|makes?|made|earns?|earned|needs?|needed|pays?|paid|spends?|spent|weighs?|weighed|buys?|bought|sells?|sold|eats?|ate|drives?|drove|runs?|ran|walks?|walked|receives?|received|saves?|saved|gives?|gave|comes? to|contains?|becomes?|leaves?|uses?|used|reads?|travel(?:s|ed|led)?|collects?|collected|scores?|scored|owes?|owed|lives?|lived|holds?|held';
