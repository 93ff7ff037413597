const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;
const SPACES = /[\u00a0\u2000-\u200a\u202f\u205f\u3000]/g;
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻';
const VULGAR = /(\d?)([¼-¾⅐-⅞])/g;

/**
 * A text in the characters of a keyboard, where others look the same and mean the same: full-width and mathematical
 * letters and digits, minus signs, quotation marks, spaces, `x²` as `x^2`, `2½` as `2 1/2`. Letters keep their accents
 * and case. Nothing that distinguishes two texts is dropped.
 */
export function plainCharacters(text: string): string {
  return text
    .replace(INVISIBLE, '')
    .replace(/(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))/g, ',')
    .replace(SPACES, ' ')
    .replace(/[\uff01-\uff5e\u{1d400}-\u{1d7ff}]/gu, (character) => character.normalize('NFKC'))
    .replace(/[⁰¹²³⁴-⁹⁺⁻]+/g, raisedTo)
    .replace(VULGAR, (_, whole: string, part: string) => `${whole && `${whole} `}${part.normalize('NFKC')}`)
    .replace(/[−‐‑‒﹣]/g, '-')
    .replace(/[‘’‚‛′ʼ]/g, "'")
    .replace(/[“”„‟″]/g, '"')
    .replace(/[∕⁄]/g, '/')
    .replace(/[∗⁎]/g, '*')
    .replace(/[✕✖⨯╳]/g, '×')
    .replace(/[⋅∙]/g, '·')
    .normalize('NFC');
}

/** `10⁻³` is `10^-3`; arithmetic has parentheses, as in `x²⁻¹`. */
function raisedTo(raised: string): string {
  const power = [...raised].map(lowered).join('');
  return /.[+-]/.test(power) ? `^(${power})` : `^${power}`;
}

function lowered(raised: string): string {
  return '0123456789+-'[SUPERSCRIPTS.indexOf(raised)];
}
