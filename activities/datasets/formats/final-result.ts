import { needTexts, RowError, textsOf, type Row } from '../rows/rows.js';

/**
 * The one answer in the first of these columns that has any, without the solution around it.
 * @throws RowError if there is none, or there are several
 */
export function resultOf(row: Row, ...columns: string[]): string {
  const column = columns.find((one) => textsOf(row, one).length > 0);
  const values = new Set(needTexts(row, ...(column === undefined ? columns : [column])).map(finalResult));
  if (values.size > 1) throw new RowError(`has ${values.size} answers in ${column}, and can have one`);
  return [...values][0];
}

/** What a worked solution ends in: the content of its last `\boxed{}`, or what follows its last `####`; else the text. */
export function finalResult(text: string): string {
  const box = [...text.matchAll(/\\(?:boxed|fbox)\s*(?=\{)/g)].at(-1);
  if (box) return contentOf(text, box.index + box[0].length) ?? text;
  const mark = text.lastIndexOf('#### ');
  return mark < 0 ? text : text.slice(mark + '#### '.length).trim();
}

/** Between a brace and the one that closes it; undefined if none does. */
function contentOf(text: string, open: number): string | undefined {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '{') depth += 1;
    else if (text[at] === '}') depth -= 1;
    if (depth === 0) return text.slice(open + 1, at).trim();
  }
  return undefined;
}
