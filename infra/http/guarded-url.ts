import { isIP } from 'node:net';
import type { AddressRules } from './addresses.js';

/** Longer addresses are data that somebody wants to carry out. */
const MAX_LENGTH = 2_048;

/** An address that is not to be asked. The message says why, in words for whoever wrote it. */
export class UrlRefused extends Error {
  override readonly name = 'UrlRefused';
  constructor(
    message: string,
    /** `no_url`: it is no address at all. `not_public`: only the operator can permit it. */
    readonly kind: 'no_url' | 'form' | 'not_public' = 'form',
  ) {
    super(message);
  }
}

/**
 * Reads an address that somebody else wrote and that this machine is to ask. Host names are not resolved here: what they
 * resolve to is checked when the connection is made (activities/tools/http/guarded-agent.ts).
 * @param base resolves a relative redirect
 * @throws UrlRefused
 */
export function guardedUrl(text: string, addresses: AddressRules, base?: URL): URL {
  if (text.length > MAX_LENGTH) throw new UrlRefused('the address is too long');
  if (!URL.canParse(text, base?.href)) throw new UrlRefused('the address is not a URL', 'no_url');
  const url = new URL(text, base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new UrlRefused(`only http:// and https:// can be read, not ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new UrlRefused('the address must not hold a user name or a password');
  }
  url.hostname = url.hostname.replace(/\.$/, '');
  if (url.hostname.split('.').includes('')) throw new UrlRefused('the host has an empty part in its name');
  const host = hostOf(url);
  if (isIP(host) !== 0 && !addresses.permit(host)) throw new UrlRefused(notPublic(host), 'not_public');
  return url;
}

/** The name or the address, without the brackets of IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** What is told of a host without a public address. The address that its name has is not told. */
export function notPublic(host: string): string {
  return `${host} is not a public address`;
}
