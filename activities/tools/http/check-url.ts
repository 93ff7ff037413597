import type { WebAccess } from '../../../infra/config/operator/web-access.js';
import type { AddressRules } from '../../../infra/http/addresses.js';
import { guardedUrl, hostOf, UrlRefused } from '../../../infra/http/guarded-url.js';
import { WebRefused } from './web-errors.js';

/**
 * Reads a model-written address, or the target of a redirect, as guardedUrl() does, and keeps to the operator's hosts and
 * ports.
 * @param base resolves a relative redirect
 * @throws WebRefused
 */
export function checkUrl(
  text: string,
  { allow, deny, ports }: Pick<WebAccess, 'allow' | 'deny' | 'ports'>,
  addresses: AddressRules,
  base?: URL,
): URL {
  const url = inWordsForPlanners(() => guardedUrl(text, addresses, base));
  const port = Number(url.port || (url.protocol === 'http:' ? 80 : 443));
  if (!ports.includes(port)) throw new WebRefused('refused', `port ${port} may not be read`);
  const host = hostOf(url);
  if (deny.some((name) => isOf(host, name)) || (allow && !allow.some((name) => isOf(host, name)))) {
    throw new WebRefused('refused', `the operator does not allow ${host}`);
  }
  return url;
}

function inWordsForPlanners(read: () => URL): URL {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UrlRefused)) throw error;
    throw new WebRefused(error.kind === 'no_url' ? 'invalid_arguments' : 'refused', error.message);
  }
}

function isOf(host: string, name: string): boolean {
  return host === name || host.endsWith(`.${name}`);
}
