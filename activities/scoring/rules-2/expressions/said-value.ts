import { isName, isNameOrSum, isSameName } from './names.js';

/** Of a chain of equal signs; each side is parsed. */
const MAX_SIDES = 100;

/** What a text says: a value, and the names that it gives it. */
export interface Said {
  names: string[];
  value: string;
}

/** Whether an expression without variables has the same value as another. */
type IsSameConstant = (one: string, other: string) => boolean;

/** The sides of an equation; the text itself where it is none. Undefined where there are too many. */
export function sidesOf(text: string): string[] | undefined {
  const sides = text.split(/(?<![<>=!:])=(?!=)/).map((side) => side.trim());
  return sides.length > MAX_SIDES ? undefined : sides;
}

/**
 * `x = 5`, `m + n = 5`, `5 = x` and `x = 2 + 3 = 5` say 5, `f(x) = x^2` says x^2, and `2 + 3 = 5` says 5. Undefined for
 * any other equation: `2x = 10`, `|x| = 5`, `x - y = 5` and `5 = 5` say nothing of what is asked for.
 */
export function saidBy(text: string, isSameConstant: IsSameConstant): Said | undefined {
  const sides = sidesOf(text);
  if (sides === undefined) return undefined;
  if (sides.length === 1) return { names: [], value: text };
  const names = sides.filter(isNameOrSum);
  const values = sides.filter((side) => !isNameOrSum(side));
  if (values.length === 0) return { names: sides.slice(0, -1), value: sides.at(-1)! };
  const isOne = values.every((value) => value === values[0] || isSameConstant(value, values[0]));
  const isComputed = names.length > 0 || new Set(values).size === values.length;
  return isOne && isComputed ? { names, value: values.at(-1)! } : undefined;
}

/**
 * Whether what an answer says is said of what is asked for. A truth without a name asks for a value, whatever its name;
 * one with a name asks for that: `y = 5` is no answer to `x = 5`, and `5` is.
 */
export function isOfTheSame(answer: Said, truth: Said): boolean {
  if (answer.names.length === 0) return true;
  if (truth.names.length === 0) return true;
  return answer.names.every((name) => truth.names.some((wanted) => isSameName(name, wanted)));
}

/** Name and value of each part of `x = 1, y = 2`; a part without a name has that of the one before it: `n = 2, 3`. */
export function namedParts(parts: readonly string[]): Said[] {
  let names: string[] = [];
  return parts.map((part) => {
    const [, name, value] = /^\s*([^=]*?)\s*=(?!=)([\s\S]*)$/.exec(part) ?? [];
    if (name === undefined || !isName(name)) return { names, value: part };
    names = [name];
    return { names, value };
  });
}
