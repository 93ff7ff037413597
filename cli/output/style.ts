import { styleText } from 'node:util';

/** How a whole line looks on a terminal. */
export type Style = 'bold' | 'red' | 'green' | 'yellow';

/** A terminal, or whatever standard output is instead. */
interface Output {
  hasColors?: () => boolean;
}

/** A text in its style, if the output is a terminal that shows colours: that knows of NO_COLOR, FORCE_COLOR and TERM. */
export function styled(text: string, style: Style | undefined, output: Output): string {
  return style && output.hasColors?.() ? styleText(style, text, { validateStream: false }) : text;
}
