import type { LookupAddress } from 'node:dns';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { webAccessSection } from '../../../infra/config/operator/web-access.js';
import { LocalServer } from '../testing/local-server.js';
import { WebClient } from './web-client.js';

const HTML = new Set(['text/html']);
const signal = () => new AbortController().signal;

/** What the name server of these tests says. */
const NAMES: Record<string, string[]> = {
  'site.test': ['127.0.0.2'],
  'xn--bcher-kva.test': ['127.0.0.2'],
  localhost: ['127.0.0.1', '::1'],
  'app.localhost': ['127.0.0.1'],
  'printer.local': ['192.168.1.20'],
  'metadata.google.internal': ['169.254.169.254'],
  'inside.test': ['10.0.0.5'],
  'v6.test': ['::1'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'nat64.test': ['64:ff9b::7f00:1'],
  'both.test': ['127.0.0.2', '127.0.0.1'],
  '127.0.0.1.nip.test': ['127.0.0.1'],
  'carrier.test': ['100.64.0.9'],
};

function resolve(host: string): Promise<LookupAddress[]> {
  const found = NAMES[host];
  if (!found) return Promise.reject(Object.assign(new Error(`no ${host}`), { code: 'ENOTFOUND' }));
  return Promise.resolve(found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
}

/**
 * Two servers on one port: the site, on an address that the operator permits, and one that nobody may reach, on the
 * address next to it. A refusal counts only if the second one was not asked.
 */
describe('server-side request forgery (I10)', () => {
  let site: LocalServer;
  let hidden: LocalServer;
  let client: WebClient;
  const access = (port: number, more = {}) =>
    webAccessSection.parse({ user_agent: 'test', addresses: ['127.0.0.2/32'], ports: [80, 443, port], ...more });
  const at = (url: string) => url.replaceAll('PORT', String(site.port));
  const get = (url: string) => client.get(at(url), HTML, signal());

  beforeAll(async () => {
    site = await LocalServer.start(({ url = '' }, response) => {
      const to = new URL(url, 'http://site.test').searchParams.get('to');
      if (to === null) response.writeHead(200, { 'content-type': 'text/html' }).end('honest');
      else response.writeHead(302, { location: Buffer.from(to).toString('latin1') }).end();
    }, '127.0.0.2');
    hidden = await LocalServer.start(
      (_, response) => {
        response.writeHead(200, { 'content-type': 'text/html' }).end('hidden');
      },
      '127.0.0.1',
      site.port,
    );
  });
  afterAll(() => Promise.all([site.stop(), hidden.stop()]));
  beforeEach(() => {
    client = new WebClient(access(site.port), resolve);
  });

  const ADDRESSES = [
    'http://127.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://127.0.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f000001:PORT/',
    'http://0x7f.0.0.1:PORT/',
    'http://0X7F.0x0.0x0.0x1:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://017700000001:PORT/',
    'http://127.0.0.1.:PORT/',
    'http://127.0.0.001:PORT/',
    'http://%31%32%37.0.0.1:PORT/',
    'http://１２７.０.０.１:PORT/',
    'http://①②⑦.⓪.⓪.①:PORT/',
    'http://127。0。0。1:PORT/',
    'http://0/',
    'http://0.0.0.0:PORT/',
    'http://10.0.0.1/',
    'http://172.16.5.4/',
    'http://192.168.1.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://0xa9fea9fe/',
    'http://2852039166/',
    'http://0251.0376.0251.0376/',
    'http://100.100.100.200/',
    'http://168.63.129.16/',
    'http://224.0.0.251/',
    'http://255.255.255.255/',
    'http://[::1]:PORT/',
    'http://[::]:PORT/',
    'http://[0:0:0:0:0:0:0:1]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://[::127.0.0.1]:PORT/',
    'http://[64:ff9b::127.0.0.1]:PORT/',
    'http://[2002:7f00:1::]:PORT/',
    'http://[2001:0:7f00:1::]:PORT/',
    'http://[fe80::1]:PORT/',
    'http://[fd00:ec2::254]/',
    'http://[ff02::1]/',
    'http://localhost:PORT/',
    'http://LOCALHOST:PORT/',
    'http://localhost.:PORT/',
    'http://ⓛocalhost:PORT/',
    'http://app.localhost:PORT/',
    'http://printer.local/',
    'http://metadata.google.internal/computeMetadata/v1/',
    'http://inside.test/',
    'http://v6.test:PORT/',
    'http://mapped.test:PORT/',
    'http://nat64.test:PORT/',
    'http://carrier.test/',
    'http://both.test:PORT/',
    'http://127.0.0.1.nip.test:PORT/',
    'http://site.test..:PORT/',
    'http://.site.test:PORT/',
    'http://site..test:PORT/',
    'http://site.test%2e%2e:PORT/',
    'http://site.test。。:PORT/',
    'http://[fe80::1%25lo]:PORT/',
    'http://[::ffff:0:127.0.0.1]:PORT/',
    'http://[64:ff9b:1::7f00:1]:PORT/',
    'http://site.test@127.0.0.1:PORT/',
    'http://site.test:PORT@127.0.0.1:PORT/',
    'http://127.0.0.1:PORT@site.test:PORT/',
    'http://user:password@site.test:PORT/',
    'http://site.test:22/',
    'http://site.test:6379/',
    '//127.0.0.1:PORT/',
    'file:///etc/passwd',
    'file://site.test/etc/passwd',
    'data:text/html,hello',
    'gopher://127.0.0.1:PORT/_GET%20/',
    'ftp://site.test/',
    'ws://site.test:PORT/',
    'javascript:fetch("http://127.0.0.1")',
    'blob:http://127.0.0.1/1',
    'view-source:http://127.0.0.1/',
    `http://site.test/${'a'.repeat(3_000)}`,
  ];

  it.each(ADDRESSES)('refuses %s', async (url) => {
    await expect(get(url)).rejects.toThrow(expect.objectContaining({ name: 'WebRefused' }));
    expect(hidden.requests).toEqual([]);
  });

  it.each(ADDRESSES.filter((url) => url.length < 2_000))('refuses a redirect to %s', async (url) => {
    const asked = site.requests.length;
    // A redirect may be relative to its scheme: then it is an address like the others, and refused as such.
    await expect(get(`http://site.test:PORT/?to=${encodeURIComponent(at(url))}`)).rejects.toThrow(
      expect.objectContaining({ name: 'WebRefused' }),
    );
    expect(site.requests).toHaveLength(asked + 1);
    expect(hidden.requests).toEqual([]);
  });

  it.each([
    'http://site.test:PORT/',
    'http://SITE.test.:PORT/',
    'http://127.0.0.2:PORT/',
    'http://127.2:PORT/',
    'http://bücher.test:PORT/',
    'http://site.test:PORT/?to=%2Fhere',
    'http://site.test:PORT/?to=http%3A%2F%2Fb%C3%BCcher.test:PORT%2F',
    'http://site.test:PORT#@127.0.0.1:PORT/',
    'http://site.test:PORT\\@127.0.0.1:PORT/',
  ])('fetches %s: its address is one that the operator permits', async (url) => {
    expect(String((await get(url)).bytes)).toBe('honest');
    expect(hidden.requests).toEqual([]);
  });

  it('connects to the address that it checked, whatever the name server says afterwards', async () => {
    let asked = 0;
    const rebinding = () => {
      asked += 1;
      return resolve(asked === 1 ? 'site.test' : 'localhost');
    };
    client = new WebClient(access(site.port), rebinding);
    expect(String((await get('http://rebinding.test:PORT/')).bytes)).toBe('honest');
    expect(asked).toBe(1);
    await expect(get('http://rebinding.test:PORT/')).rejects.toThrow(/not a public address/);
    expect(hidden.requests).toEqual([]);
  });

  it('checks the name anew at every redirect to the same host', async () => {
    let asked = 0;
    client = new WebClient(access(site.port), () => {
      asked += 1;
      return resolve(asked === 1 ? 'site.test' : 'localhost');
    });
    const away = encodeURIComponent(at('http://rebinding.test:PORT/next'));
    await expect(get(`http://rebinding.test:PORT/?to=${away}`)).rejects.toThrow(/not a public address/);
    expect(asked).toBe(2);
    expect(hidden.requests).toEqual([]);
  });

  it('follows at most five redirects', async () => {
    const loop = await LocalServer.start(
      (_, response) => response.writeHead(302, { location: '/' }).end(),
      '127.0.0.2',
    );
    client = new WebClient(access(loop.port), resolve);
    await expect(client.get(loop.url, HTML, signal())).rejects.toThrow(/redirects more than 5 times/);
    expect(loop.requests).toHaveLength(6);
    await loop.stop();
  });

  it.each([
    'site.test',
    'site.test.',
    'site.test..',
    'SITE.TEST',
    'below.site.test.',
    'below.site.test..',
    'site%2Etest',
    '%73ite.test',
    'ｓｉｔｅ．ｔｅｓｔ',
    'site。test',
    'si\u00adte.test',
  ])('denies %s as the resolver would read it', async (host) => {
    client = new WebClient(access(site.port, { deny: ['site.test'] }), () => resolve('site.test'));
    const asked = site.requests.length;
    await expect(get(`http://${host}:PORT/`)).rejects.toThrow(expect.objectContaining({ name: 'WebRefused' }));
    expect(site.requests).toHaveLength(asked);
  });

  it.each(['127.0.0.2', '127.2', '0177.0.0.2', '0x7f000002', '2130706434', '１２７.0.0.2', '127.0.0.2.'])(
    'denies the address %s in every notation',
    async (host) => {
      client = new WebClient(access(site.port, { deny: ['127.0.0.2'] }), resolve);
      await expect(get(`http://${host}:PORT/`)).rejects.toThrow(/does not allow/);
    },
  );

  it("obeys the operator's lists, for redirects too; what is denied is denied whatever is allowed", async () => {
    client = new WebClient(access(site.port, { allow: ['site.test', 'test'], deny: ['xn--bcher-kva.test'] }), resolve);
    expect(String((await get('http://site.test:PORT/')).bytes)).toBe('honest');
    await expect(get('http://bücher.test:PORT/')).rejects.toThrow(/does not allow/);
    await expect(get('http://site.test:PORT/?to=http%3A%2F%2Fb%C3%BCcher.test:PORT')).rejects.toThrow(/does not allow/);
    await expect(get('http://127.0.0.2:PORT/')).rejects.toThrow(/does not allow/);
    client = new WebClient(access(site.port, { deny: ['test'] }), resolve);
    await expect(get('http://site.test:PORT/')).rejects.toThrow(/does not allow/);
  });
});
