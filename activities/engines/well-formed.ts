/**
 * A model may sample any bytes. PostgreSQL's text and jsonb hold neither U+0000 nor half a surrogate pair: both become
 * U+FFFD. Token ids remain the exact record (I1).
 */
export function wellFormed(text: string): string {
  return text.replace(/\0|\p{Surrogate}/gu, '\uFFFD');
}
