import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { pdfOf } from '../testing/pdf.js';
import { EXTRACTION_LIMITS, extractDocument } from './extract-document.js';

/** Each test starts a Node process, on a machine that may be busy. */
const PATIENCE = 120_000;

const live = () => new AbortController().signal;
const html = (body: string | Buffer, charset?: string) =>
  extractDocument({ bytes: Buffer.from(body), contentType: 'text/html', charset }, live());
const pdf = (bytes: Buffer, limits = EXTRACTION_LIMITS, signal = live()) =>
  extractDocument({ bytes, contentType: 'application/pdf' }, signal, limits);

/** Children of this process that read a document. */
function extractors(): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
        return parent === String(process.pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('extract.mjs');
      } catch {
        return false;
      }
    });
}

const sentence = 'The river is long, as everybody says, and it is deep, and it is cold all the year round.';

describe(extractDocument, () => {
  it(
    'takes the article out of a page: text without menus, scripts, forms and comments, block by block',
    async () => {
      const page = `<!doctype html><html><head><title>Elm River</title><script>globalThis.ran = 1</script></head><body>
        <nav><a href="/">Home</a> <a href="/more">More</a></nav>
        <article><h1>Elm River</h1><p>${sentence} 1</p><p>${sentence}<br>2 <b>bold</b> &amp; more</p>
        <ul><li>${sentence} 3</li><li>item four</li></ul>
        <table><tr><th>length</th><td>412 km</td></tr></table><!-- hidden -->
        <script>document.write('written')</script><img src="http://127.0.0.1:9/" onerror="fail()"></article>
        <footer>Terms</footer></body></html>`;
      const { title, blocks } = await html(page);
      expect(title).toBe('Elm River');
      expect(blocks).toEqual(
        [`${sentence} 1`, sentence, '2 bold & more', `${sentence} 3`, 'item four', '| length | 412 km'].map((block) =>
          expect.stringContaining(block.replace(/^\| /, '')),
        ),
      );
    },
    PATIENCE,
  );

  it(
    'reads a page that leaves out what HTML lets it leave out, in its own character set',
    async () => {
      const latin = Buffer.from(
        '<meta charset=windows-1252><title>Caf\u00e9</title><p>Cr\u00e8me <b>br\u00fbl\u00e9e</b>',
        'latin1',
      );
      expect(await html(latin)).toEqual({ title: 'Café', blocks: ['Crème brûlée'] });
      expect(await html(Buffer.from('<p>na\u00efve', 'latin1'), 'iso-8859-1')).toMatchObject({ blocks: ['naïve'] });
    },
    PATIENCE,
  );

  it.each([
    [
      'an ASCII page that calls itself UTF-16',
      '<meta http-equiv=Content-Type content="text/html; charset=unicode"><p>Hello',
      undefined,
    ],
    ['a page whose header calls it UTF-16', '<p>Hello', 'utf-16'],
    ['UTF-8 with a byte-order mark and another name', '\ufeff<meta charset="windows-1251"><p>Hello', undefined],
    [
      'a page that speaks of a character set',
      '<meta name="description" content="charset=utf-16be"><p>Hello',
      undefined,
    ],
    ['a page with a name that there is not', '<meta charset="utf8mb4"><p>Hello', 'x-none'],
  ])(
    'reads %s',
    async (_, page, charset) => {
      expect(await html(page, charset)).toMatchObject({ blocks: ['Hello'] });
    },
    PATIENCE,
  );

  it(
    'reads a character set that nobody names',
    async () => {
      expect(await html(Buffer.from('<p>na\u00efve', 'latin1'))).toMatchObject({ blocks: ['naïve'] });
      expect(await html('<p>naïve')).toMatchObject({ blocks: ['naïve'] });
      expect(await html(Buffer.from('\ufeff<p>naïve', 'utf16le'))).toMatchObject({ blocks: ['naïve'] });
      const bytes = Buffer.from('\ufeffnaïve', 'utf16le');
      expect(await extractDocument({ bytes, contentType: 'text/plain' }, live())).toMatchObject({ blocks: ['naïve'] });
    },
    PATIENCE,
  );

  it(
    'reads what a browser shows: a page that is one form, shadow trees, but nothing hidden',
    async () => {
      const page = `<body><form action="x.aspx"><input type="hidden" value="abc"><select><option>All</option></select>
        <p>${sentence} 1</p><template><p>never</p></template>
        <elm-card><template shadowrootmode="open"><p>${sentence} 2</p></template></elm-card>
        <p hidden>hidden</p><p style="color:red; display: none">neither</p><noscript><img src="x"> Enable scripts.</noscript>
        <table><tr><td>length</td><td>412 km</td></tr></table></form></body>`;
      const { blocks } = await html(page);
      expect(blocks).toEqual([`${sentence} 1`, `${sentence} 2`, expect.stringMatching(/length \| 412 km/)]);
    },
    PATIENCE,
  );

  it(
    'reads the page under a request for consent, and the request if it is all there is',
    async () => {
      const asks = '<div id="onetrust-consent-sdk"><p>We value your privacy, and so do our 900 partners.</p></div>';
      const banner = '<div class="site-cookie-banner"><p>We use cookies.</p></div>';
      const article = `<article><p>${sentence}</p><p>${sentence}</p><p>${sentence}</p></article>`;
      expect(await html(`<body>${asks}${banner}${article}</body>`)).toMatchObject({
        blocks: [sentence, sentence, sentence],
      });
      expect((await html(`<body>${asks}</body>`)).blocks.join()).toContain('900 partners');
      expect((await html('<body><div id="root"></div><noscript>Enable scripts.</noscript></body>')).blocks).toEqual([
        'Enable scripts.',
      ]);
    },
    PATIENCE,
  );

  it(
    'reads a table that is most of a page, beside a line of prose that looks like the article',
    async () => {
      const rows = Array.from({ length: 80 }, (_, row) => `<tr><td>river ${row}</td><td>${row} km</td></tr>`).join('');
      const { blocks } = await html(`<body><div><p>${sentence}, ${sentence}</p></div><table>${rows}</table></body>`);
      expect(blocks.join()).toContain('river 79 | 79 km');
    },
    PATIENCE,
  );

  it(
    'reads two columns of a PDF one after the other, though they were written line by line, and a table row by row',
    async () => {
      const at = (x: number, y: number, text: string) => `BT /F1 9 Tf ${x} ${y} Td (${text}) Tj ET`;
      const line = (side: string, number: number) => `${side} column line number ${number} ends`;
      const numbers = [1, 2, 3, 4];
      const columns = [
        at(
          72,
          740,
          'A heading that goes over the whole width of the page, from one side to the other, as it should do',
        ),
        ...numbers.flatMap((n) => [at(72, 720 - 12 * n, line('left', n)), at(330, 720 - 12 * n, line('right', n))]),
      ].join('\n');
      const { blocks } = await pdf(pdfOf([Buffer.from(columns)]));
      expect(blocks[0]).toBe(
        ['A heading that goes over the whole width of the page, from one side to the other, as it should do']
          .concat(
            numbers.map((n) => line('left', n)),
            numbers.map((n) => line('right', n)),
          )
          .join(' '),
      );
      const table = numbers.flatMap((n) => [at(72, 720 - 12 * n, `river ${n}`), at(330, 720 - 12 * n, `${n} km`)]);
      expect((await pdf(pdfOf([Buffer.from(table.join('\n'))]))).blocks[0]).toContain('river 1 1 km');
    },
    PATIENCE,
  );

  it(
    'says of a PDF of pictures that it holds no text',
    async () => {
      await expect(pdf(pdfOf([Buffer.from('0 0 m 9 9 l S'), Buffer.from('0 0 m 9 9 l S')]))).rejects.toThrow(
        'the page cannot be read: its pages (2) hold no text: they may be pictures of a scan',
      );
    },
    PATIENCE,
  );

  it(
    'reads a PDF page by page, and plain text by paragraphs',
    async () => {
      expect(await pdf(pdfOf(['Hello page one', 'Second page']))).toEqual({
        title: '',
        blocks: ['Hello page one', 'Second page'],
      });
      const bytes = Buffer.from('one\ntwo\n\n\nthree\n');
      expect(await extractDocument({ bytes, contentType: 'text/plain' }, live())).toEqual({
        title: '',
        blocks: ['one\ntwo', 'three'],
      });
    },
    PATIENCE,
  );

  it(
    'says that garbage cannot be read, whatever it calls itself',
    async () => {
      await expect(pdf(Buffer.from('%PDF-1.7 and nothing'))).rejects.toMatchObject({
        name: 'WebRefused',
        kind: 'not_found',
      });
      const noise = Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * 7_919) % 256));
      await expect(pdf(noise)).rejects.toMatchObject({ name: 'WebRefused', kind: 'not_found' });
      expect(Array.isArray((await html(noise)).blocks)).toBe(true);
    },
    PATIENCE,
  );

  it(
    'ends a PDF whose page unpacks to gigabytes, by its memory or its time, and leaves no process',
    async () => {
      const bomb = pdfOf([
        Buffer.concat([Buffer.from('BT /F1 12 Tf ('), Buffer.alloc(200e6, 65), Buffer.from(') Tj ET')]),
      ]);
      expect(bomb.length).toBeLessThan(1e6);
      const ended = await pdf(bomb, { cpuSeconds: 10, seconds: 60, megabytes: 300 }).catch((error: unknown) => error);
      expect(ended).toMatchObject({ name: 'WebRefused', kind: expect.stringMatching(/^(memory|time)_limit$/) });
      expect(extractors()).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'ends a page that nests too deeply to be read in time, and leaves no process',
    async () => {
      const bytes = Buffer.from(`<html><body>${'<div>'.repeat(100_000)}deep`);
      const limits = { ...EXTRACTION_LIMITS, cpuSeconds: 2 };
      await expect(extractDocument({ bytes, contentType: 'text/html' }, live(), limits)).rejects.toMatchObject({
        name: 'WebRefused',
        kind: 'time_limit',
      });
      expect(extractors()).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'ends with the signal, and leaves no process',
    async () => {
      const controller = new AbortController();
      const reading = pdf(pdfOf(['a']), EXTRACTION_LIMITS, controller.signal);
      controller.abort(new Error('cancelled'));
      await expect(reading).rejects.toThrow('cancelled');
      expect(extractors()).toEqual([]);
    },
    PATIENCE,
  );

  it(
    'bounds the text of a long document',
    async () => {
      const bytes = Buffer.from('a line of text\n\n'.repeat(300_000));
      const { blocks } = await extractDocument({ bytes, contentType: 'text/plain' }, live());
      expect(blocks.join('').length).toBeLessThanOrEqual(2_000_000);
    },
    PATIENCE,
  );
});
