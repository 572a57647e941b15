import t from 'tap'
import { addressBucket, viewerBucket } from '../../src/limits/client-address.ts'
import { readTrustProxy } from '../../src/limits/trust-proxy.ts'

t.test('rate limit: an address in any form has one bucket, and an IPv6 network too', async t => {
  const forms: Array<[string | undefined, string | undefined]> = [
    ['192.0.2.1', '192.0.2.1'], ['::ffff:192.0.2.1', '192.0.2.1'], ['192.0.2.1:5678', '192.0.2.1'], [' 192.0.2.1 ', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'], ['2001:DB8:1:2::9', '2001:db8:1:2::/64'], ['[2001:db8:1:2::9]:443', '2001:db8:1:2::/64'], ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'], ['2001:db8::', '2001:db8:0:0::/64'], ['::1', '0:0:0:0::/64'], ['fe80::1%eth0', 'fe80:0:0:0::/64'], ['2001:db8::1.2.3.4', '2001:db8:0:0::/64'], ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
    ['unknown', undefined], ['', undefined], [undefined, undefined], ['_hidden', undefined], ['999.1.1.1', undefined], ['1.2.3.4, 5.6.7.8', undefined]
  ]
  for (const [text, bucket] of forms) t.equal(addressBucket(text), bucket, String(text))
})

t.test('rate limit: the viewer that CloudFront names', async t => {
  t.equal(viewerBucket('198.51.100.10:46532'), '198.51.100.10')
  t.equal(viewerBucket('2001:db8:1:2:3:4:5:6:46532'), '2001:db8:1:2::/64')
  t.equal(viewerBucket('2001:db8:1:2::6:46532'), '2001:db8:1:2::/64')
  t.equal(viewerBucket('[2001:db8:1:2::6]:46532'), '2001:db8:1:2::/64')
  for (const wrong of [undefined, '', ':1', 'x:1', '198.51.100.10', '1.2.3.4:5, 6.7.8.9:1']) t.equal(viewerBucket(wrong), undefined, String(wrong))
})

t.test('rate limit: TRUST_PROXY takes networks and names, and nothing that trusts everybody', async t => {
  for (const text of ['10.0.0.0/8', 'loopback', 'loopback, linklocal,uniquelocal', '192.0.2.7', '2001:db8::/32', '::1', '10.0.0.0/16,fd00::/8']) t.ok(readTrustProxy(text), text)
  for (const text of ['true', 'false', '1', '2', '*', '0.0.0.0/0', '::/0', '0.0.0.0/1', '0.0.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'localhost', '10.0.0.0/255.0.0.0', ',', 'loopback,']) t.equal(readTrustProxy(text), undefined, text)
})
