import type { IncomingMessage } from 'node:http';

/** The names under which a server on the loopback interface is asked for. */
const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'] as const;

export interface Refusal {
  status: number;
  code: string;
  message: string;
  /** The header at fault. */
  param?: string;
}

/**
 * Why a server on the loopback interface does not answer a request: one that names no path of it, or another host, or
 * that a page of another origin made.
 * @param server what the server calls itself, such as `API`
 * @param origins of pages that may use it besides its own
 */
export function refusalOf(
  { headers, rawHeaders, url = '' }: IncomingMessage,
  server: string,
  origins: readonly string[] = [],
): Refusal | undefined {
  const { host, origin } = headers;
  const param = 'Host';
  // Node keeps the first: what passed it on may have gone by another (RFC 9112, 3.2).
  if (rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === 'host').length > 1) {
    return { status: 400, code: 'several_hosts', message: 'The request has several Host headers.', param };
  }
  if (!url.startsWith('/')) return { status: 400, code: 'no_path', message: 'The request names no path.' };
  if (!isLoopbackHost(host)) {
    const message = `The Host header names "${host ?? ''}"; this ${server} answers to ${LOOPBACK_NAMES.join(', ')}.`;
    return { status: 421, code: 'unknown_host', message, param };
  }
  if (origin !== undefined && origin !== `http://${host}` && !origins.includes(origin)) {
    const message = `A page of ${origin} may not use this ${server}.`;
    return { status: 403, code: 'foreign_page', message, param: 'Origin' };
  }
  return undefined;
}

/**
 * Whether a Host header names the loopback interface. Any web page can point a name of its own at 127.0.0.1 (DNS
 * rebinding): it then reads and writes as a page of the server would, but its requests still carry that name.
 * @param host the header's value, with or without a port
 */
function isLoopbackHost(host: string | undefined): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').toLowerCase();
  return (LOOPBACK_NAMES as readonly string[]).includes(name);
}
