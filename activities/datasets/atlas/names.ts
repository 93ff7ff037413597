import type { RandomStream } from '../random.js';

const STEMS =
  'Ald Bar Bram Cald Cors Drav Dun Els Far Fenn Glen Gris Harb Hex Ing Jar Kel Kest Lind Lor Mar Mord Ness Nor Pell Pen Quar Rav Ros Sel Stav Thorn Tor Ulv Var Wes Wyv Yar Yel Zel'.split(
    ' ',
  );
const ENDINGS = 'burn by combe dale fold ford gate holm ley mere stead ton wick worth'.split(' ');

/** `count` different made-up place names, each one capitalised word. */
export function placeNames(random: RandomStream, count: number): string[] {
  const names = STEMS.flatMap((stem) => ENDINGS.map((ending) => stem + ending));
  return random.shuffle(names).slice(0, count);
}
