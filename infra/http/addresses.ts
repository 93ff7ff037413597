import ipaddr from 'ipaddr.js';

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** The one part of IPv6 from which global addresses are given out. What translates or tunnels IPv4 lies outside. */
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3');

/** Unicast for the library, and yet no address of a public site. */
const NOT_PUBLIC = [
  // Azure's platform services, reachable from every virtual machine
  '168.63.129.16/32',
  // Assigned to protocols: Teredo, benchmarking, ORCHID
  '2001::/23',
  '2001:db8::/32',
  '3fff::/20',
].map((range) => ipaddr.parseCIDR(range));

/** Which addresses may be connected to: the public ones, and those that the operator named. */
export class AddressRules {
  private readonly extra: readonly Range[];

  /** @param extra ranges in CIDR notation */
  constructor(extra: readonly string[]) {
    this.extra = extra.map((range) => ipaddr.parseCIDR(range));
  }

  /** @param text an IPv4 or IPv6 address as the resolver or the socket writes it */
  permit(text: string): boolean {
    if (!ipaddr.isValid(text)) return false;
    const address = ipaddr.parse(text);
    return isPublic(address) || this.extra.some((range) => within(address, range));
  }
}

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false;
  if (address.kind() === 'ipv6' && !within(address, GLOBAL_IPV6)) return false;
  return !NOT_PUBLIC.some((range) => within(address, range));
}

function within(address: ipaddr.IPv4 | ipaddr.IPv6, [network, bits]: Range): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}
