const REFUSAL =
  /^(?:(?:sorry|unfortunately|apologies)[,.]?\s+)?(?:(?:i|we) (?:do not|don't|cannot|can't|could not|couldn't|am (?:not able|unable)|was (?:not able|unable)|am not sure|have no idea|was unable)(?!\p{L})|(?:i )?(?:don't|do not) know(?!\p{L})|(?:the|this|an?) (?:answer|question|information) (?:cannot|can't|could not|couldn't|is not|is unknown|was not)|(?:it )?(?:cannot|can't|could not) be (?:determined|answered|found)|(?:no|not enough|insufficient) (?:information|answer|evidence|data|results?)(?: (?:was |were )?(?:found|available|given|provided))?[.!]?$|(?:unknown|n\/a|undetermined|idk|not sure|no idea)[.!]?$)/iu;

/** Whether a text says that it has no answer: where that is not the truth itself, it is wrong. */
export function isRefusal(text: string): boolean {
  return REFUSAL.test(text.replaceAll('’', "'"));
}
