import { describe, expect, it } from '@jest/globals';
import { AddressRules } from './addresses.js';

describe(AddressRules, () => {
  const rules = new AddressRules([]);

  it.each([
    ['unspecified', '0.0.0.0', '0.1.2.3', '::'],
    ['loopback', '127.0.0.1', '127.255.255.254', '::1'],
    ['private', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1', 'fc00::1', 'fd12:3456::1'],
    ['link-local', '169.254.1.1', 'fe80::1', 'febf::1'],
    ['site-local', 'fec0::1'],
    ['shared by carriers', '100.64.0.1', '100.127.255.255'],
    ['multicast', '224.0.0.1', '239.255.255.255', 'ff02::1'],
    ['broadcast', '255.255.255.255'],
    ['reserved', '192.0.0.8', '192.0.2.1', '198.18.0.1', '198.51.100.7', '203.0.113.9', '240.0.0.1', '192.88.99.1'],
    ['a metadata service', '169.254.169.254', '100.100.100.200', '192.0.0.192', '168.63.129.16', 'fd00:ec2::254'],
    ['IPv4 inside IPv6', '::ffff:8.8.8.8', '::ffff:7f00:1', '::7f00:1', '::ffff:0:127.0.0.1'],
    ['translated or tunnelled', '64:ff9b::7f00:1', '64:ff9b:1::a00:1', '2002:7f00:1::', '2001:0:7f00:1::'],
    ['for documentation or tests', '2001:db8::1', '3fff::1', '2001:2::1', '100::1'],
    ['no address', '', 'localhost', '127.1.example', 'fe80::1%eth0', '999.1.1.1'],
  ])('does not permit what is %s', (_, ...addresses) => {
    expect(addresses.filter((address) => rules.permit(address))).toEqual([]);
  });

  it('permits public addresses', () => {
    const addresses = ['1.1.1.1', '93.184.215.14', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450:4001::1'];
    expect(addresses.filter((address) => !rules.permit(address))).toEqual([]);
  });

  it("permits the operator's own ranges, in their own family, and nothing beside them", () => {
    const extended = new AddressRules(['10.1.2.0/24', 'fd00:1::/32']);
    expect(['10.1.2.9', 'fd00:1:2::3'].filter((address) => !extended.permit(address))).toEqual([]);
    expect(['10.1.3.9', '::ffff:10.1.2.9', 'fd00:2::1'].filter((address) => extended.permit(address))).toEqual([]);
  });
});
