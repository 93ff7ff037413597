const CONSTANT = /(?<![a-zA-Z\\])(?:[CK]|[ck](?=_))(?:_\s*(?:\{\w\}|\w))?(?![a-zA-Z(_])/g;
const LETTER = /(?<![a-zA-Z\\])[a-zA-Z](?:_\s*(?:\{\w\}|\w))?(?![a-zA-Z])/g;

/** The answer with the constant of the truth, `x^2 + C`, if it has it as a small letter. */
export function withConstantOf(truth: string, answer: string): string {
  return /\+\s*C$/.test(truth) && !/(?<![a-zA-Z\\])c(?![a-zA-Z])/.test(truth)
    ? answer.replace(/\+\s*c$/, '+ C')
    : answer;
}

/** Whether the truth is a sum with constants of integration, for which the answer may have other names: `x^2 + K`. */
export function hasOtherConstants(answer: string, truth: string): boolean {
  const constants = truth.match(CONSTANT) ?? [];
  if (constants.length === 0 || !truth.includes('+')) return false;
  const [known, given] = [truth, answer].map((text) => new Set(text.match(LETTER)?.map(plainName)));
  const others = [...given].filter((name) => !known.has(name));
  const missing = new Set(constants.map(plainName).filter((name) => !given.has(name)));
  return others.length > 0 && others.length === missing.size;
}

function plainName(letter: string): string {
  return letter.replace(/[\s{}]/g, '');
}
