/** What makes an answer right. Only scoring looks at it. */
export type Truth =
  /** Exactly this number, however it is written: the reward of the atlas. */
  | { kind: 'exact-number'; value: number }
  /** An integer, decimal or fraction, as text; the answer may be any expression of the same value. */
  | { kind: 'number'; value: string }
  /** A mathematical expression in LaTeX or plain notation. */
  | { kind: 'expression'; value: string }
  /** One of the choices, the first of which is A. */
  | { kind: 'choice'; letter: string; choices: string[] }
  /** Any of these texts. */
  | { kind: 'text'; answers: string[] }
  /** A number, a short text, or a list of these, as GAIA wants them. */
  | { kind: 'short-form'; answer: string }
  /** An expression that makes 24 of these four numbers, each used once. */
  | { kind: 'twenty-four'; numbers: number[] };
