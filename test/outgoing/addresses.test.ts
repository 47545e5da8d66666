import { describe, expect, it } from 'vitest'
import { isPublicAddress, networks } from '../../src/outgoing/addresses.ts'

// The first and last address of each network, and the neighbours on both sides that are not in it.
const forbidden = [
  ['0.0.0.0', 'this network'],
  ['0.255.255.255', 'this network'],
  ['10.0.0.0', 'private'],
  ['10.255.255.255', 'private'],
  ['100.64.0.0', 'carrier-grade NAT'],
  ['100.127.255.255', 'carrier-grade NAT'],
  ['127.0.0.0', 'loopback'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.255', 'loopback'],
  ['168.63.129.16', 'host of a virtual machine'],
  ['169.254.0.0', 'link local'],
  ['169.254.169.254', 'metadata'],
  ['169.254.255.255', 'link local'],
  ['172.16.0.0', 'private'],
  ['172.31.255.255', 'private'],
  ['192.0.0.0', 'protocol assignments'],
  ['192.0.0.255', 'protocol assignments'],
  ['192.0.2.0', 'documentation'],
  ['192.0.2.255', 'documentation'],
  ['192.31.196.1', 'AS112'],
  ['192.52.193.1', 'multicast tunnels'],
  ['192.88.99.1', '6to4 relay'],
  ['192.168.0.0', 'private'],
  ['192.168.255.255', 'private'],
  ['192.175.48.1', 'AS112'],
  ['198.18.0.0', 'benchmarking'],
  ['198.19.255.255', 'benchmarking'],
  ['198.51.100.0', 'documentation'],
  ['198.51.100.255', 'documentation'],
  ['203.0.113.0', 'documentation'],
  ['203.0.113.255', 'documentation'],
  ['224.0.0.0', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.0', 'reserved'],
  ['255.255.255.254', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['0:0:0:0:0:0:0:1', 'loopback'],
  ['::127.0.0.1', 'IPv4-compatible'],
  ['::8.8.8.8', 'IPv4-compatible, also of a public one'],
  ['::ffff:127.0.0.1', 'mapped'],
  ['::ffff:7f00:1', 'mapped'],
  ['::FFFF:a9fe:a9fe', 'mapped'],
  ['::ffff:0.0.0.0', 'mapped'],
  ['::ffff:255.255.255.255', 'mapped'],
  ['::ffff:0:8.8.8.8', 'IPv4-translated'],
  ['64:ff9b::', 'NAT64'],
  ['64:ff9b::127.0.0.1', 'NAT64'],
  ['64:ff9b::8.8.8.8', 'NAT64, also of a public one'],
  ['64:ff9b:1::', 'NAT64 of a site'],
  ['64:ff9b:1:ffff:ffff:ffff:ffff:ffff', 'NAT64 of a site'],
  ['100::', 'discard'],
  ['1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'before global unicast'],
  ['2001::', 'Teredo'],
  ['2001:0:7f00:1::', 'Teredo'],
  ['2001:2::1', 'benchmarking'],
  ['2001:10::1', 'ORCHID'],
  ['2001:20::1', 'ORCHIDv2'],
  ['2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', 'protocol assignments'],
  ['2001:db8::', 'documentation'],
  ['2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', 'documentation'],
  ['2002::', '6to4'],
  ['2002:7f00:1::1', '6to4'],
  ['2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '6to4'],
  ['2620:4f:8000::1', 'AS112'],
  ['3ffe::1', '6bone'],
  ['3fff::', 'documentation'],
  ['3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff', 'documentation'],
  ['4000::', 'after global unicast'],
  ['5f00::1', 'segment routing'],
  ['8000::1', 'not assigned'],
  ['fc00::', 'unique local'],
  ['fd00:ec2::254', 'metadata'],
  ['fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'unique local'],
  ['fe80::', 'link local'],
  ['fe80::1%lo', 'link local with its zone'],
  ['febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'link local'],
  ['fec0::1', 'site local'],
  ['ff02::1', 'multicast'],
  ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'multicast'],
  ['::1%lo', 'loopback with a zone'],
  ['2606:4700::1111%lo', 'a public one with a zone'],
] as const

const unreadable = [
  '',
  ' ',
  'localhost',
  '127.1',
  '2130706433',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '8.8.8.8.',
  ' 8.8.8.8',
  '8.8.8.8 ',
  '8.8.8.8/32',
  '8.8.8.256',
  '08.8.8.8',
  '[2606:4700::1111]',
  '2606:4700::1111::',
  '2606:4700:::1111',
  '2606:4700::1111/64',
  '８.8.8.8',
]

const allowed = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '93.184.215.14',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '168.63.129.15',
  '168.63.129.17',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '191.255.255.255',
  '192.0.1.0',
  '192.0.3.0',
  '192.88.98.255',
  '192.88.100.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '198.51.99.255',
  '198.51.101.0',
  '203.0.112.255',
  '203.0.114.0',
  '223.255.255.255',
  '::ffff:8.8.8.8',
  '::ffff:808:808',
  '2000::1',
  '2001:200::1',
  '2001:db7:ffff::1',
  '2001:db9::1',
  '2001:4860:4860::8888',
  '2003::1',
  '2606:4700::1111',
  '2620:4f:7fff::1',
  '2620:4f:8001::1',
  '2A00:1450:4001:80E::200E',
  '3ffd::1',
  '3fff:1000::1',
]

describe('an address that is not public', () => {
  it.each(forbidden)('%s (%s)', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  it.each(unreadable)('"%s", which is no address', (text) => {
    expect(isPublicAddress(text)).toBe(false)
  })
})

describe('an address that is public', () => {
  it.each(allowed)('%s', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })
})

describe('a list of networks', () => {
  it.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.1.2.3/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['10.0.0.1/32', '10.0.0.2', false],
    ['10.0.0.0/8', '::ffff:10.0.0.1', true],
    ['10.0.0.0/8', '::ffff:a00:1', true],
    ['10.0.0.0/8', '::10.0.0.1', false],
    ['0.0.0.0/0', '10.0.0.1', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '::1', true],
    ['::/0', '10.0.0.1', false],
    ['::/0', '::ffff:10.0.0.1', false],
    ['::1', '::1', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['::1', '::2', false],
    ['fd00::/8', 'fdff::1', true],
    ['fd00::/8', 'fc00::1', false],
    ['fd00::/9', 'fd7f::1', true],
    ['fd00::/9', 'fd80::1', false],
    ['::/0', 'localhost', false],
    ['0.0.0.0/0', '127.1', false],
  ] as const)('%s holds %s: %s', (network, address, isHeld) => {
    expect(networks([network])(address)).toBe(isHeld)
  })

  it('holds what any of its networks holds, and nothing when it has none', () => {
    const isListed = networks(['10.0.0.0/8', 'fd00::/8'])
    expect([isListed('10.0.0.1'), isListed('fd00::1'), isListed('192.168.0.1')]).toEqual([true, true, false])
    expect(networks([])('10.0.0.1')).toBe(false)
  })
})
