import { knownSecrets } from '../../infra/config/secrets.js';

const RULES: [pattern: RegExp, replacement: string][] = [
  // The user information of a URL: scheme://user:password@host
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s/?#@]*@/gi, '$1***@'],
  [/\b(bearer|basic)\s+[\w.~+/=-]+/gi, '$1 ***'],
  // name=value and name: value, quoted or not, for names that hold secrets
  [
    /\b([\w-]*(?:password|passwd|secret|api[_-]?key|authorization|credentials?)|(?:[\w-]*[_-])?token)(["']?\s*[=:]\s*)(?:"[^"]*"|'[^']*'|[^\s,;&"']+)/gi,
    '$1$2***',
  ],
  [/\b(?:sk|pk|af|ghp|gho|xox[abp])[-_][\w-]{16,}/g, '***'],
];

/**
 * Takes credentials out of a text that goes into a history, a log or the database (I6): every key that this process
 * has read, and whatever looks like one.
 */
export function redact(text: string): string {
  return RULES.reduce((redacted, [pattern, replacement]) => redacted.replace(pattern, replacement), redactKnown(text));
}

/** Takes out only the keys that this process has read, for texts in which words that look like keys are content. */
export function redactKnown(text: string): string {
  return knownSecrets()
    .flatMap(writings)
    .reduce((redacted, writing) => redacted.replaceAll(writing, '***'), text);
}

/** The ways in which a key is written into requests, and so into what servers and libraries say of them. */
function writings(secret: string): string[] {
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), base64(secret)];
}

/** Without the end that depends on what follows. */
function base64(text: string): string {
  const whole = Math.floor(text.length / 3) * 3;
  return Buffer.from(text.slice(0, whole)).toString('base64');
}
