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
