import {
  CST,
  isNode,
  isScalar,
  Lexer,
  parseDocument,
  visit,
  YAMLParseError,
  type Document,
  type YAMLError,
} from 'yaml';
import { DOCUMENT_BOUNDS, DocumentRefused, requireAtMost, type DocumentBounds } from './document-bounds.js';
import { requireStorable } from './storable.js';

/** Bytes of a YAML text at most: its parser is slow. */
export const MAX_YAML_BYTES = 65_536;
/** Aliases may multiply a document at most so often: a configuration has no use for more. */
const MAX_ALIASES = 16;
/** Signs that structure a document, such as colons, quotes and brackets: the parser notes an error at each, and slowly. */
export const MAX_SIGNS = 4_000;
/** Tokens of any kind: half of the bytes, so that only a text that is mostly line breaks and gaps has more. */
export const MAX_TOKENS = 32_000;
/** Tokens that structure nothing. The lexer writes \x1f, of type scalar, before the text of a scalar without quotes. */
const NO_SIGNS: readonly (string | null)[] = ['newline', 'space', 'comment', 'scalar', 'doc-mode', 'byte-order-mark'];

/** Those of them that the lexer adds: they are no part of the text. */
const MARKS = new Set<string | null>(['scalar', 'doc-mode', 'flow-error-end']);

const OPTIONS = {
  version: '1.2',
  schema: 'core',
  merge: false,
  strict: true,
  stringKeys: true,
  resolveKnownTags: false,
  prettyErrors: false,
  // It compares all keys with all: requireUniqueKeys does not.
  uniqueKeys: false,
} as const;

/**
 * Parses one YAML 1.2 document into plain data: core schema, no merge keys, no tags beyond the core ones, no `? ` before
 * a key, no duplicate keys, aliases bounded.
 * @throws DocumentRefused
 */
export function parseYaml(text: string, bounds: DocumentBounds = DOCUMENT_BOUNDS): unknown {
  if (Buffer.byteLength(text) > MAX_YAML_BYTES) {
    throw new DocumentRefused(`it is larger than the ${MAX_YAML_BYTES} bytes that are accepted as YAML`);
  }
  requireCheap(text, bounds);
  const document = read(() => parseDocument(text, OPTIONS));
  const [problem] = [...document.errors, ...document.warnings];
  if (problem?.code === 'MULTIPLE_DOCS')
    throw new DocumentRefused(`it holds several documents: another one begins${placeOf(text, problem.pos[0])}`);
  if (problem) throw refused(text, problem);
  requireUniqueKeys(text, document);
  const value = read(() => document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown);
  requireStorable(value, bounds);
  return value;
}

/**
 * Looks at the tokens alone, one after the other, and stops at the first too many. The parser that follows calls itself,
 * and takes long over what is wrong: it reads a document to its end and notes every error.
 * @throws DocumentRefused
 */
export function requireCheap(text: string, bounds: DocumentBounds): void {
  let [tokens, signs, brackets, dashes, offset] = [0, 0, 0, 0, 0];
  let isText = false;
  for (const token of new Lexer().lex(text)) {
    const type: CST.TokenType | null = isText ? null : CST.tokenType(token);
    tokens += 1;
    if (tokens > MAX_TOKENS)
      throw new DocumentRefused(`it has more than ${MAX_TOKENS} tokens: texts, signs, comments, gaps and line breaks`);
    if (token.endsWith('\n')) dashes = 0;
    if (!isText && !NO_SIGNS.includes(type)) {
      if (type === 'explicit-key-ind') throw new DocumentRefused('it has a "? " before a key, which is not accepted');
      signs += 1;
      if (signs > MAX_SIGNS)
        throw new DocumentRefused(`it has more than ${MAX_SIGNS} signs, such as colons, quotes and dashes`);
      if (type === 'flow-map-start' || type === 'flow-seq-start') brackets += 1;
      if (type === 'flow-map-end' || type === 'flow-seq-end') brackets -= 1;
      if (type === 'seq-item-ind') dashes += 1;
      requireAtMost(Math.max(brackets, dashes), bounds, 'depth');
      if (type === 'double-quoted-scalar') requireEscapes(text, token, offset);
    }
    isText = type === 'scalar';
    if (!MARKS.has(type)) offset += token.length;
  }
}

/** One text between quotes may hold thousands of escapes that are none: the first is enough. */
function requireEscapes(text: string, source: string, offset: number): void {
  try {
    CST.resolveAsScalar({ type: 'double-quoted-scalar', source, offset, indent: 0 });
  } catch (error) {
    if (error instanceof YAMLParseError) throw refused(text, error);
    throw error;
  }
}

function requireUniqueKeys(text: string, document: Document.Parsed): void {
  visit(document, {
    Map: (_, { items }) => {
      const keys = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (keys.has(key.value))
          throw new DocumentRefused(`Map keys must be unique${placeOf(text, key.range?.[0] ?? 0)}`);
        keys.add(key.value);
      }
    },
  });
}

/** The line of a text that parseYaml has accepted where the value at a path begins; undefined where there is none. */
export function lineOf(text: string, path: readonly PropertyKey[]): number | undefined {
  const node = parseDocument(text, OPTIONS).getIn(path, true);
  return isNode(node) && node.range ? text.slice(0, node.range[0]).split('\n').length : undefined;
}

function refused(text: string, { message, pos: [offset] }: YAMLError): DocumentRefused {
  return new DocumentRefused(`${message.trim()}${placeOf(text, offset)}`);
}

function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return ` at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

/** Excessive aliases raise a ReferenceError, nesting without end a RangeError. */
function read<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const message = error instanceof RangeError ? 'it is nested too deeply' : (error as Error).message;
    throw new DocumentRefused(message, { cause: error });
  }
}
