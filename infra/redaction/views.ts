/** A text as one of its readers would decode it, with the place in the original text that each character comes from. */
export interface View {
  text: string;
  /** Original index at which the character begins, and after which it ends; absent for the original text itself. */
  places?: { starts: Int32Array; ends: Int32Array };
}

/** Of encodings inside encodings: JSON within JSON within a URL. */
const DEPTH = 3;

const ENTITIES: Record<string, string> = {
  amp: '&',
  apos: "'",
  ast: '*',
  colon: ':',
  comma: ',',
  commat: '@',
  dollar: '$',
  equals: '=',
  excl: '!',
  gt: '>',
  lowbar: '_',
  lpar: '(',
  lt: '<',
  num: '#',
  percnt: '%',
  period: '.',
  plus: '+',
  quest: '?',
  quot: '"',
  rpar: ')',
  semi: ';',
  sol: '/',
  bsol: '\\',
};
const NAMES = Object.keys(ENTITIES).sort((a, b) => b.length - a.length);
const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
const MAX_UNIT = 0xffff;

interface Decoder {
  /** What it decodes: each match becomes one character. No pattern repeats without a bound. */
  tokens: RegExp;
  decode: (token: RegExpExecArray) => string;
}

const DECODERS: readonly Decoder[] = [
  // URLs, a byte at a time: what is not ASCII is compared as UTF-8.
  { tokens: /%([0-9a-f]{2})/gi, decode: ([, hex]) => unit(Number.parseInt(hex, 16)) },
  // JSON, JavaScript, Python
  {
    tokens: /\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|(["'\\/nrt]))/gi,
    decode: ([, long, short, name]) => (name ? (ESCAPES[name] ?? name) : unit(Number.parseInt(long ?? short, 16))),
  },
  // HTML and XML
  {
    tokens: new RegExp(`&(?:#(\\d{1,8})|#x([0-9a-f]{1,8})|(${NAMES.join('|')}));?`, 'gi'),
    decode: ([, decimal, hex, name]) =>
      name ? ENTITIES[name.toLowerCase()] : unit(decimal ? Number.parseInt(decimal, 10) : Number.parseInt(hex, 16)),
  },
];

/** A line break within a word: continued, in HTML, before an indentation or a quotation. */
const FOLDING: Decoder = { tokens: /(?:\\|<br ?\/?>)?[\r\n][ \t>|]{0,40}/gi, decode: () => '' };

function unit(code: number): string {
  return code <= MAX_UNIT ? String.fromCharCode(code) : '\ufffd';
}

/** The text itself and, each once, what it decodes to. Their number is bounded, and none is longer than the text. */
export function viewsOf(text: string): View[] {
  const views: View[] = [{ text }];
  const seen = new Set([text]);
  let level = views.slice();
  for (let depth = 0; depth < DEPTH && level.length > 0; depth += 1) {
    level = level.flatMap((view) => DECODERS.flatMap((decoder) => decoded(view, decoder) ?? []));
    level = level.filter((view) => !seen.has(view.text) && seen.add(view.text));
    views.push(...level);
  }
  return views;
}

/** Without line breaks and what stands at the beginnings of lines. */
export function unfolded(view: View): View {
  return decoded(view, FOLDING) ?? view;
}

/** As a decoder of base64 reads it: without line breaks, and with the URL alphabet's two characters as the standard's. */
export function base64View(view: View): View {
  const { text, places } = unfolded(view);
  return { text: text.replaceAll('-', '+').replaceAll('_', '/'), places };
}

/** Undefined where there is nothing to decode. */
function decoded({ text, places }: View, { tokens, decode }: Decoder): View | undefined {
  if (text.search(tokens) === -1) return undefined;
  const starts = new Int32Array(text.length);
  const ends = new Int32Array(text.length);
  const parts: string[] = [];
  let length = 0;
  let read = 0;
  const place = (from: number, to: number) => {
    starts[length] = places ? places.starts[from] : from;
    ends[length] = places ? places.ends[to - 1] : to;
    length += 1;
  };
  const copy = (end: number) => {
    for (let index = read; index < end; index += 1) place(index, index + 1);
    parts.push(text.slice(read, end));
  };
  for (const token of text.matchAll(tokens)) {
    const character = decode(token);
    copy(token.index);
    read = token.index + token[0].length;
    if (character !== '') place(token.index, read);
    parts.push(character);
  }
  copy(text.length);
  return { text: parts.join(''), places: { starts: starts.subarray(0, length), ends: ends.subarray(0, length) } };
}
