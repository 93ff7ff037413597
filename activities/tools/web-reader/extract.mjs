// A program of its own: it reads one document of the web, which may be hostile, and writes its text. The parent gives it
// an empty environment, no files but its libraries' code, and kills it at its limits of time and memory.
//
// Standard input: one line of JSON, {contentType, charset?}, then the document's bytes.
// Standard output: one JSON object, {title, blocks} or {error}. A block is a paragraph, a heading, a list item, a row of
// a table, or a page of a PDF.
import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import sniffEncoding from 'html-encoding-sniffer';

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
/** A form is not: pages of some frameworks are one from beginning to end. */
const SILENT = new Set(
  'button canvas datalist dialog head iframe noscript object option script select style svg template textarea title'.split(
    ' ',
  ),
);
/** By the names that services for consent, and people without one, give to what they lay over a page. */
const CONSENT = [
  '[id^="onetrust"],[id^="CybotCookiebot"],[id^="didomi"],[id^="qc-cmp"],[id^="sp_message"],[id^="usercentrics"]',
  '[class^="osano-cm"],[class^="cky-"],[id^="cmplz"],[class^="fc-consent"],[id^="iubenda-cs"],[class^="klaro"]',
  ...['cookie', 'consent', 'gdpr'].flatMap((what) =>
    ['banner', 'bar', 'notice', 'popup', 'modal', 'overlay', 'wall', 'dialog', 'message', 'consent'].flatMap((how) =>
      ['-', '_', ''].flatMap((joint) => [`[id*="${what}${joint}${how}" i]`, `[class*="${what}${joint}${how}" i]`]),
    ),
  ),
].join(',');
/** An article with less of the page's text than this left out what matters, such as a table. */
const LEAST_OF_PAGE = 0.25;

async function readHtml(bytes, charset) {
  const { parseHTML } = await import('linkedom');
  const { Readability } = await import('@mozilla/readability');
  const html = decode(bytes, charset, false);
  // linkedom runs no script and loads nothing that a page refers to. It does not add what HTML lets an author leave out.
  const { document } = parseHTML(/<body[\s>]/i.test(html) ? html : `<html><body>${html}</body></html>`);
  const title = document.querySelector('title')?.textContent ?? '';
  const small = document.querySelectorAll('*').length <= MAX_ELEMENTS;
  if (small) showAsBrowsersDo(document);
  const whole = blocksOf(document.documentElement);
  const unscripted = [...document.querySelectorAll('noscript')].flatMap((element) => blocksOf(element, true));
  // Readability takes the document apart.
  const article = small ? new Readability(document, { serializer: (element) => element }).parse() : undefined;
  const main = article?.content ? blocksOf(article.content) : [];
  const text = lengthOf(main) >= LEAST_OF_PAGE * lengthOf(whole) ? withRows(main, whole) : whole;
  return { title: article?.title || title || '', blocks: [text, unscripted].find(lengthOf) ?? [] };
}

/** What browsers hide goes, and what lies in shadow trees comes. What asks for consent goes if it is not the most. */
function showAsBrowsersDo(document) {
  for (const template of document.querySelectorAll('template[shadowrootmode],template[shadowroot]')) {
    template.replaceWith(...(template.content ?? template).childNodes);
  }
  for (const hidden of document.querySelectorAll('[hidden],[style*="display:none" i],[style*="display: none" i]')) {
    hidden.remove();
  }
  const asking = [...document.querySelectorAll(CONSENT)].filter(
    ({ localName }) => !/^(?:html|body|main)$/.test(localName),
  );
  if (asking.length === 0) return;
  const asked = asking.reduce((length, element) => length + lengthOf(blocksOf(element)), 0);
  if (2 * asked < lengthOf(blocksOf(document.documentElement))) asking.forEach((element) => element.remove());
}

/** Readability leaves out tables of facts: their rows come after the article. */
function withRows(article, page) {
  const there = new Set(article);
  return [...article, ...page.filter((block) => block.includes(' | ') && !there.has(block))];
}

function lengthOf(blocks) {
  return blocks.reduce((length, block) => length + block.length, 0);
}

/** Without recursion: pages nest as deep as they like. */
function blocksOf(root, isRead = false) {
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
      if (SILENT.has(name) && !(isRead && node === root)) continue;
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
    const text = inReadingOrder(items, page.view[0], page.view[2])
      .map(({ str = '', hasEOL }) => (hasEOL ? `${str}\n` : str))
      .join('');
    blocks.push(text.replace(/\s+/g, ' ').trim());
    characters += text.length;
    page.cleanup();
  }
  if (!blocks.some(Boolean))
    throw new Error(`its pages (${pdf.numPages}) hold no text: they may be pictures of a scan`);
  return { title: typeof info?.Title === 'string' ? info.Title : '', blocks: blocks.filter(Boolean) };
}

/** Columns of prose have lines of so many characters at least. A table's columns are to be read row by row. */
const PROSE = 24;

/**
 * The parts of a page's text, column after column if the page has two of prose and its author wrote them line by line
 * across both; else as they come. What goes over both columns, such as a heading, stays between what is above and below.
 */
function inReadingOrder(items, left, right) {
  const middle = (left + right) / 2;
  const sideOf = ({ transform, width }) => {
    if (transform[4] + width <= middle) return 'left';
    return transform[4] >= middle ? 'right' : 'both';
  };
  const sides = items.filter(({ str }) => str?.trim()).map((item) => ({ side: sideOf(item), length: item.str.length }));
  const changes = sides.filter(({ side }, index) => index > 0 && side !== sides[index - 1].side).length;
  const isProse = ['left', 'right'].every((side) => {
    const lines = sides.filter((part) => part.side === side);
    return lines.length >= 3 && lines.reduce((sum, { length }) => sum + length, 0) / lines.length >= PROSE;
  });
  if (!isProse || changes < sides.length / 2) return items;
  const ordered = [];
  let columns = { left: [], right: [] };
  const close = () => {
    ordered.push(...columns.left, ...columns.right);
    columns = { left: [], right: [] };
  };
  for (const item of items) {
    if (!item.str?.trim()) continue;
    const side = sideOf(item);
    if (side === 'both') close();
    (side === 'both' ? ordered : columns[side]).push({ ...item, hasEOL: true });
  }
  close();
  return ordered;
}

function readText(bytes, charset) {
  const blocks = decode(bytes, charset, true).split(/\n\s*\n/);
  return { title: '', blocks: blocks.map((block) => block.trim()).filter(Boolean) };
}

/** As browsers do: a byte-order mark, else the header, else what an HTML page says of itself, else what the bytes look like. */
function decode(bytes, label, xml) {
  const defaultEncoding = isUtf8(bytes) ? 'UTF-8' : 'windows-1252';
  const isWide = /^(?:utf-?16|unicode|ucs-?2|iso-10646)/i.test(label ?? '');
  // Text of the Web that is UTF-16 has zeros among its first bytes.
  const transportLayerEncodingLabel = isWide && !bytes.subarray(0, 512).includes(0) ? undefined : label;
  const encoding = sniffEncoding(bytes, { xml, transportLayerEncodingLabel, defaultEncoding });
  try {
    return new TextDecoder(encoding).decode(bytes);
  } catch {
    return new TextDecoder(defaultEncoding).decode(bytes);
  }
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
