import { compareExpressions } from '../expressions/compare-expressions.js';
import type { Statement } from '../reading/statement.js';
import { bare } from '../reading/wrappings.js';
import { ruled, UNDECIDED, WRONG, type Finding } from './finding.js';
import { plainNumber } from './plain-number.js';

const UNIT = 'km|cm|mm|kg|mg|g|ms|s|h|hrs?|mins?|ft|in|lbs?|mph|kph|mi|ml|l';
/** Digits in a word or a range, `mid-1998`, `5th` and `5-7`, are no number of their own. */
const NUMBER = new RegExp(
  '(?<![\\p{L}\\p{N}.,]|[\\p{L}\\p{N}]-)[+-]?(?:\\d{1,3}(?:,\\d{3})+(?![\\d,])|\\d+)(?:\\.\\d+)?' +
    `(?=(?:${UNIT})?(?![\\p{L}\\p{N}]|[.,]\\d))`,
  'gu',
);
/** A number beside one of these words is not what the sentence says: `less than 5`, `5 million`, `not 5`, `minus five`. */
const MODIFIED =
  /(?<!\p{L})(?:not|never|no|neither|nor|n't|less|more|fewer|greater|lower|higher|larger|smaller|than|least|most|over|under|above|below|between|up to|percent|pp[mb]|exceeds?|about|around|approximately|roughly|nearly|almost|minus|negative|plus|half|halves|quarters?|thirds?|double|twice|triple|times|squared|cubed|root|power|hundreds?|thousands?|millions?|billions?|trillions?|dozens?|or|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\p{L}+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|point|either|maybe|perhaps|wait|actually|unknown|cannot|mod|modulo|k|bn)(?!\p{L})|\p{L}n't(?!\p{L})/iu;
const PROSE = /^[^\\^/*=()<>≤≥≠±~≈|{}[\]%‰]+$/;
const CONCLUSION = /^(?:so|thus|hence|therefore|in total|in all|altogether|finally|it follows)\b/i;

/**
 * Right where the answer has the number's value: as a number, as an expression, or as the one number in a sentence that
 * says nothing else of it. A sentence with several numbers is undecided.
 */
export function numberRule({ readings }: Statement, truth: string): Finding {
  if (readings.every((reading) => reading === '')) return WRONG;
  const wanted = bare(truth, 'mathematics');
  for (const reading of readings) {
    const found = compared(reading, wanted);
    if (found.ruling !== 'undecided') return found;
  }
  return UNDECIDED;
}

export function holdsNumber(text: string): boolean {
  return /\p{N}|\\(?:pi|infty)|[π∞]/u.test(text) || plainNumber(text) !== undefined;
}

function compared(text: string, wanted: string): Finding {
  const ruling = compareExpressions(text, wanted);
  if (ruling !== 'undecided') return { ruling };
  const numbers = numbersOf(text) ?? numbersOf(lastSentence(text));
  return numbers?.size === 1 ? sameNumber([...numbers][0], wanted) : UNDECIDED;
}

/** The different numbers of a sentence; undefined where it is a formula, or says something else of a number. */
function numbersOf(text: string): Set<string> | undefined {
  if (!PROSE.test(text) || MODIFIED.test(text)) return undefined;
  const plain = text.replace(/[$€£¥°]/g, '');
  const found = plain.match(NUMBER) ?? [];
  return found.length === (plain.match(/[\d.,]*\d/g) ?? []).length ? new Set(found.map(valueOf)) : undefined;
}

function valueOf(number: string): string {
  return plainNumber(number)?.value ?? number;
}

function sameNumber(given: string, wanted: string): Finding {
  const ruling = compareExpressions(given, wanted);
  return ruling === 'undecided' ? UNDECIDED : ruled(ruling === 'right');
}

/** The last sentence of several, if it concludes. */
function lastSentence(text: string): string {
  const sentences = text.split(/(?<=[.!?])\s+|\n+/).filter((sentence) => sentence.trim() !== '');
  const last = sentences.at(-1) ?? '';
  return sentences.length > 1 && CONCLUSION.test(last) ? last : '';
}
