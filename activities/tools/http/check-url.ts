import { isIP } from 'node:net';
import type { WebAccess } from '../../../infra/config/operator/web-access.js';
import type { AddressRules } from './addresses.js';
import { WebRefused } from './web-errors.js';

/** Longer addresses are data that somebody wants to carry out. */
const MAX_LENGTH = 2_048;

/**
 * Reads a model-written address, or the target of a redirect. Host names are not resolved here: what they resolve to is
 * checked when the connection is made (guarded-agent.ts).
 * @param base resolves a relative redirect
 * @throws WebRefused
 */
export function checkUrl(
  text: string,
  { allow, deny, ports }: Pick<WebAccess, 'allow' | 'deny' | 'ports'>,
  addresses: AddressRules,
  base?: URL,
): URL {
  if (text.length > MAX_LENGTH) throw new WebRefused('refused', 'the address is too long');
  if (!URL.canParse(text, base?.href)) throw new WebRefused('invalid_arguments', 'the address is not a URL');
  const url = new URL(text, base);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new WebRefused('refused', `only http:// and https:// can be read, not ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new WebRefused('refused', 'an address with a user name or password is not read');
  }
  url.hostname = url.hostname.replace(/\.$/, '');
  if (url.hostname.split('.').includes('')) throw new WebRefused('refused', 'the host has an empty part in its name');
  const port = Number(url.port || (url.protocol === 'http:' ? 80 : 443));
  if (!ports.includes(port)) throw new WebRefused('refused', `port ${port} may not be read`);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !addresses.permit(host)) throw notPublic(host);
  if (deny.some((name) => isOf(host, name)) || (allow && !allow.some((name) => isOf(host, name)))) {
    throw new WebRefused('refused', `the operator does not allow ${host}`);
  }
  return url;
}

/** What a planner hears of a host without a public address. The address itself is not told. */
export function notPublic(host: string): WebRefused {
  return new WebRefused('refused', `${host} is not a public address`);
}

function isOf(host: string, name: string): boolean {
  return host === name || host.endsWith(`.${name}`);
}
