import type { ChoiceReadings } from './choice-readings.js';
import type { Truth } from './truth.js';

/** A question with its truth, as read from a published record. */
export interface ParsedItem {
  /** The record's own identifier, where it has one. */
  id?: string;
  question: string;
  /** What the dataset sorts its questions by: a level, a number of hops, a field. */
  family: string;
  truth: Truth;
}

/** The same as one record tells it, which may not say alone which choice is right. */
export interface ReadItem extends Omit<ParsedItem, 'truth'> {
  truth: Truth | ChoiceReadings;
}

/** The same under an id that no other question of the dataset has. */
export interface Item extends ParsedItem {
  id: string;
}
