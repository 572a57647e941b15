import t from 'tap'
import { readAllowedOrigins } from '../../src/base/allowed-origins.ts'

t.test('CORS origins are exact, all, or all below a domain', async t => {
  const allows = readAllowedOrigins('https://shop.example, https://*.shop.example,http://localhost:3000,https://Upper.example:443,capacitor://localhost')!
  for (const origin of ['https://shop.example', 'https://a.shop.example', 'https://a.b.shop.example', 'http://localhost:3000', 'https://upper.example', 'capacitor://localhost']) t.equal(allows(origin), 'named', origin)
  for (const origin of [
    undefined, '', 'null', '*', 'http://shop.example', 'https://shop.example.evil.example', 'https://evilshop.example', 'https://shop.example:8443', 'https://shop.example/', 'https://evil.example/.shop.example',
    'https://evil.example?.shop.example', 'https://evil.example#.shop.example', 'https://evil@a.shop.example', 'https://.shop.example', 'https://a.shopxexample', 'https://a.shop.example:444', 'http://localhost', 'https://a.shop.example\n'
  ]) t.equal(allows(origin), 'none', String(origin))
})

t.test('CORS with * lets all pages in without credentials, and those that are named with them', async t => {
  const allows = readAllowedOrigins('*,https://shop.example')!
  t.equal(allows('https://other.example'), 'any')
  t.equal(allows('null'), 'any')
  t.equal(allows(undefined), 'any')
  t.equal(allows('https://shop.example'), 'named')
})

t.test('CORS origins that are none are refused', async t => {
  for (const text of [',', 'shop.example', 'https://shop.example/', 'https://shop.example/path', 'https://*', 'https://*.com', 'https://a.*.example', 'https://*shop.example', 'null', 'https://', 'https://a b', 'https://user@shop.example', 'https://shop.example:port', '**', 'https://shop.example;https://b.example']) {
    t.equal(readAllowedOrigins(text), undefined, text)
  }
})
