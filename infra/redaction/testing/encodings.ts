const percent = (digits: 'toUpperCase' | 'toLowerCase') => (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')[digits]()}`).join('');
const unicode = (text: string) =>
  Array.from(text, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
const json = (text: string) => JSON.stringify(text).slice(1, -1);
const html = (text: string) =>
  text.replace(/[&<>"']/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c]!);

/** Encodings of a text by its characters: the whole's is its parts', one after the other. */
export const ENCODINGS: Record<string, (text: string) => string> = {
  'as it is': (text) => text,
  'URL-encoded': encodeURIComponent,
  'URL-encoded to the last character': percent('toUpperCase'),
  'URL-encoded, with lower digits': percent('toLowerCase'),
  'URL-encoded twice': (text) => encodeURIComponent(encodeURIComponent(text)),
  'in a form': (text) => new URLSearchParams({ a: text }).toString().slice(2),
  'JSON-escaped': json,
  'JSON-escaped, solidus included': (text) => json(text).replaceAll('/', '\\/'),
  'JSON in JSON': (text) => json(json(text)),
  'as \\u escapes': unicode,
  'as \\u escapes in JSON': (text) => json(unicode(text)),
  'as HTML': html,
  'as numbered entities': (text) => Array.from(text, (c) => `&#${c.charCodeAt(0)};`).join(''),
  'as hexadecimal entities': (text) => Array.from(text, (c) => `&#x${c.charCodeAt(0).toString(16)};`).join(''),
  'URL-encoded in JSON in HTML': (text) => html(json(encodeURIComponent(text))),
  'in hexadecimal': (text) => Buffer.from(text).toString('hex'),
  'in hexadecimal, as a dump': (text) =>
    Buffer.from(text)
      .toString('hex')
      .replace(/..(?!$)/g, '$& '),
  'in hexadecimal, as code': (text) => Buffer.from(text).toString('hex').replace(/../g, '\\x$&'),
  'in upper hexadecimal': (text) => Buffer.from(text).toString('hex').toUpperCase(),
};
