import stringWidth from 'string-width';

/** A text in lines of at most so many columns, broken between words. A word that is longer is cut. */
export function wrap(text: string, columns: number): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line.replaceAll('\t', '  '), columns));
}

function wrapLine(line: string, columns: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const piece of line.split(/(?<=\s)(?=\S)/).flatMap((word) => cut(word, columns))) {
    if (current !== '' && stringWidth((current + piece).trimEnd()) > columns) {
      lines.push(current.trimEnd());
      current = '';
    }
    current += piece;
  }
  return [...lines, current.trimEnd()];
}

function cut(word: string, columns: number): string[] {
  return stringWidth(word.trimEnd()) > columns ? [...word] : [word];
}
