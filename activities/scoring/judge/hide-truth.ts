const HIDDEN = '[the truth]';
const MAX_REASON = 1_000;

/** A judge's reason without the right answers of a held-out question, which it may have repeated. */
export function hideTruth(reason: string, gold: readonly string[]): string {
  const forms = gold.flatMap((text) => [text, text.replace(/^[A-Z]\. /, '')]);
  const letters = gold.flatMap((text) => /^([A-Z])\. /.exec(text)?.[1] ?? []);
  const hidden = [...new Set(forms)]
    .filter((form) => form !== '')
    .sort((a, b) => b.length - a.length)
    .reduce((text, form) => text.replace(new RegExp(literally(form), 'giu'), HIDDEN), reason);
  return letters
    .reduce((text, letter) => text.replace(new RegExp(`\\b${letter}\\b`, 'g'), HIDDEN), hidden)
    .slice(0, MAX_REASON);
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
