/** The text is no expression that can be compared. */
export class NotComparable extends Error {
  override readonly name = 'NotComparable';
}
