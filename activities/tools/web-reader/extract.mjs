// A program of its own: it reads one document of the web, which may be hostile, and writes its text. The parent gives it
// an empty environment, no files but its libraries' code, and kills it at its limits of time and memory.
//
// Standard input: one line of JSON, {contentType, charset?}, then the document's bytes.
// Standard output: one JSON object, {title, blocks} or {error}. A block is a paragraph, a heading, a list item, a row of
// a table, or a page of a PDF.
import { TextDecoder } from 'node:util';

const MAX_CHARACTERS = 2_000_000;
const MAX_PDF_PAGES = 500;
/** Of a page whose article is looked for; a larger one is read as a whole. */
const MAX_ELEMENTS = 200_000;

const BLOCKS = new Set(
  'address article aside blockquote br caption dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tr ul'.split(
    ' ',
  ),
);
const CELLS = new Set(['td', 'th']);
const SILENT = new Set(
  'button canvas form head iframe noscript object script select style svg template title'.split(' '),
);

async function readHtml(bytes, charset) {
  const { parseHTML } = await import('linkedom');
  const { Readability } = await import('@mozilla/readability');
  const html = decode(bytes, charset ?? declaredCharset(bytes));
  // linkedom runs no script and loads nothing that a page refers to. It does not add what HTML lets an author leave out.
  const { document } = parseHTML(/<body[\s>]/i.test(html) ? html : `<html><body>${html}</body></html>`);
  const title = document.querySelector('title')?.textContent ?? '';
  const whole = blocksOf(document.documentElement);
  const small = document.querySelectorAll('*').length <= MAX_ELEMENTS;
  // Readability takes the document apart.
  const article = small ? new Readability(document, { serializer: (element) => element }).parse() : undefined;
  const main = article?.content ? blocksOf(article.content) : [];
  return { title: article?.title || title || '', blocks: main.length > 0 ? main : whole };
}

/** Without recursion: pages nest as deep as they like. */
function blocksOf(root) {
  const blocks = [''];
  const stack = [root];
  while (stack.length > 0) {
    const node = stack.pop();
    if (typeof node === 'string') {
      if (node === '\n') blocks.push('');
      else blocks[blocks.length - 1] += node;
    } else if (node.nodeType === 3) {
      blocks[blocks.length - 1] += node.data;
    } else if (node.nodeType === 1) {
      const name = node.localName;
      if (SILENT.has(name)) continue;
      const around = BLOCKS.has(name) ? '\n' : CELLS.has(name) ? ' | ' : '';
      if (around !== '') stack.push(around);
      for (let child = node.lastChild; child; child = child.previousSibling) stack.push(child);
      if (around === '\n') stack.push(around);
    }
  }
  return blocks
    .map((block) =>
      block
        .replace(/\s+/g, ' ')
        .replace(/( \|)+ ?$/, '')
        .trim(),
    )
    .filter(Boolean);
}

async function readPdf(bytes) {
  const { getDocumentProxy } = await import('unpdf');
  const pdf = await getDocumentProxy(new Uint8Array(bytes), { isEvalSupported: false, verbosity: 0 });
  const { info } = await pdf.getMetadata();
  const blocks = [];
  let characters = 0;
  for (let number = 1; number <= Math.min(pdf.numPages, MAX_PDF_PAGES) && characters < MAX_CHARACTERS; number += 1) {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    const text = items.map(({ str = '', hasEOL }) => (hasEOL ? `${str}\n` : str)).join('');
    blocks.push(text.replace(/\s+/g, ' ').trim());
    characters += text.length;
    page.cleanup();
  }
  return { title: typeof info?.Title === 'string' ? info.Title : '', blocks: blocks.filter(Boolean) };
}

function readText(bytes, charset) {
  const blocks = decode(bytes, charset).split(/\n\s*\n/);
  return { title: '', blocks: blocks.map((block) => block.trim()).filter(Boolean) };
}

function decode(bytes, charset = 'utf-8') {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

/** Of an HTML page that says it in its beginning. */
function declaredCharset(bytes) {
  return /<meta[^>]+charset\s*=\s*["']?([\w.:-]+)/i.exec(bytes.subarray(0, 4_096).toString('latin1'))?.[1];
}

function bounded({ title, blocks }) {
  let left = MAX_CHARACTERS;
  const kept = [];
  for (const block of blocks) {
    if (left <= 0) break;
    kept.push(block.slice(0, left));
    left -= block.length;
  }
  return { title: title.replace(/\s+/g, ' ').trim().slice(0, 300), blocks: kept };
}

async function read(contentType, charset, bytes) {
  if (contentType === 'application/pdf') return readPdf(bytes);
  return contentType.includes('html') ? readHtml(bytes, charset) : readText(bytes, charset);
}

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const input = Buffer.concat(chunks);
const end = input.indexOf(10);
const { contentType, charset } = JSON.parse(input.toString('utf8', 0, end));
const output = await read(contentType, charset, input.subarray(end + 1)).then(bounded, (error) => ({
  error: String(error?.message ?? error).slice(0, 300),
}));
process.stdout.write(JSON.stringify(output));
