/** What stands in the place of a right answer. */
export const HIDDEN = '[the truth]';

/**
 * A judge's words without the right answers of a held-out question, which it may have repeated: as they are, as JSON
 * writes them, and the letter of a choice.
 */
export function hideTruth(words: string, gold: readonly string[]): string {
  const forms = gold
    .flatMap((text) => [text, text.replace(/^[A-Z]\. /, '')])
    .flatMap((text) => [text, ...inJson(text)]);
  const letters = gold.flatMap((text) => /^([A-Z])\. /.exec(text)?.[1] ?? []);
  const hidden = [...new Set(forms)]
    .filter((form) => form !== '')
    .sort((a, b) => b.length - a.length)
    .reduce((text, form) => text.replace(new RegExp(literally(form), 'giu'), HIDDEN), words);
  return letters.reduce((text, letter) => text.replace(new RegExp(`\\b${letter}\\b`, 'g'), HIDDEN), hidden);
}

/** With what JSON must escape, and with all that it may. */
function inJson(text: string): [string, string] {
  const json = JSON.stringify(text).slice(1, -1);
  return [json, json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)];
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
