const INDEX = /_\s*(?:\{[^{}]*\}|\w)|'+|\^\s*(?:\\prime|\{\s*(?:\\prime\s*)+\})/g;
/** `f(2)`, `P(A)`, `f^{-1}(x)`. */
const ARGUMENT = /(?<=[a-zA-Z])\s*(?:\^\s*\{?-1\}?\s*)?\([^()=]*\)$/;
const GREEK =
  'alpha|beta|gamma|delta|epsilon|varepsilon|theta|lambda|mu|nu|rho|sigma|tau|phi|varphi|omega|zeta|kappa|xi|chi|psi|eta|Gamma|Delta|Theta|Lambda|Sigma|Phi|Psi|Omega|ell';
/** What stands before points: `\angle ABC`, `m\angle A`, `\overline{AB}`. */
const FIGURE =
  /^m?\s*\\(?:angle|measuredangle|triangle|overline|overrightarrow|vec|widehat|hat|bar)\s*\{?\s*([a-zA-Z]+)\s*\}?$/;
const LETTER = new RegExp(`^(?:(?![ei]$)[a-zA-Z]|\\\\(?:${GREEK}))$`);
/** Segments and figures: `AB`, `|AB|`, `[ABC]`. */
const POINTS = /^(?:[A-Z]{2,4}|\|[A-Z]{2}\||\[[A-Z]{3,6}\])$/;
const WORD = /^(?:[A-Za-z][a-z]{3,}|sum|max|min|gcd|lcm|GCD|LCM|ans|Ans|Sum)$/;
const OPERATION =
  /^(?:a(?:rc)?)?(?:sin|cos|tan|cot|sec|csc)h?$|^(?:sqrt|cbrt|root|minus|negative|twice|half|double|triple|square|cube)$/i;

/** `x`, `x_1`, `y'`, `\theta`, `f(2)`, `AB`, `\angle ABC`, `Area`: one name of what is asked for. */
export function isName(text: string): boolean {
  const plain = text.replace(INDEX, '').trim();
  const called = plain.replace(ARGUMENT, '').trim();
  if (OPERATION.test(called)) return false;
  return [LETTER, WORD].some((form) => form.test(called)) || [POINTS, FIGURE].some((form) => form.test(plain));
}

/** One name, or the names of a sum: `m + n`. */
export function isNameOrSum(text: string): boolean {
  return text.split('+').every(isName);
}

/** Whether two names are the same, however they are written: `x_1` is `x_{1}`. */
export function isSameName(one: string, other: string): boolean {
  return plainName(one) === plainName(other);
}

function plainName(text: string): string {
  return text.replace(/[\s{}]/g, '').replace(/\\var(?=[a-z])/g, '\\');
}
