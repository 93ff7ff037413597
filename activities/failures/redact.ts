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

/** Takes credentials out of a text that goes into a history, a log or the database (I6). */
export function redact(text: string): string {
  return RULES.reduce((redacted, [pattern, replacement]) => redacted.replace(pattern, replacement), text);
}
