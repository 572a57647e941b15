import t from 'tap'
import { headerText } from '../../src/base/header-text.ts'
import { anonymous } from '../../src/security/access.ts'
import { startGateway, storeConfig } from '../support/gateway.ts'
import { rawRequests } from '../support/raw-request.ts'

const latin1 = (text: string): string => Buffer.from(text).toString('latin1')

t.test('header values in UTF-8 are read as UTF-8, other bytes stay latin1', async t => {
  for (const text of ['São Paulo', 'Łódź', '東京', '🍵', 'plain', '', '\ufeffx']) t.equal(headerText(latin1(text)), text)
  for (const text of ['S\xe3o Paulo', '\xc3', '\xed\xa0\xbd', '\xc0\xaf', 'caf\xe9, \xc3\xa9']) t.equal(headerText(text), text, 'not UTF-8')
  t.equal(headerText('Łódź'), 'Łódź', 'text that is no bytes')
})

t.test('rules see raw UTF-8 in header values of a proxy', async t => {
  const rule = (header: string): object => ({ type: 'string', rules: [{ type: 'header-value', header }] })
  const adminKey = 'an admin key of a test'
  const { app } = await startGateway(t, { ...storeConfig, autoContext: { city: rule('CF-IPCity'), place: rule('CloudFront-Viewer-City') } }, { adminKey })
  const raw = await rawRequests(t, app)
  const contextOf = async (city: string): Promise<unknown> => {
    const head = `GET /explain/recommend-items/store/for-you/me HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Api-Key: ${adminKey}\r\nCF-IPCity: ${city}\r\nCloudFront-Viewer-City: ${city}\r\n\r\n`
    const { context, headers } = JSON.parse((await raw(head)).body) as { context: object, headers: Record<string, string> }
    return { ...context, header: headers['cf-ipcity'] }
  }
  t.strictSame(await contextOf('S\xc3\xa3o Paulo'), { city: 'São Paulo', place: 'São Paulo', header: 'São Paulo' })
  t.strictSame(await contextOf('S\xe3o Paulo'), { city: 'São Paulo', place: 'São Paulo', header: 'São Paulo' }, 'latin1')
  t.strictSame(await contextOf('S%C3%A3o'), { city: 'S%C3%A3o', place: 'São', header: 'S%C3%A3o' }, 'CloudFront encodes its own headers')
})

t.test('records carry header values in UTF-8', async t => {
  const { app } = await startGateway(t)
  const { broughtBy } = app.collecting({ headers: { 'cf-ipcity': latin1('Łódź') }, url: '/events/store', query: {}, principal: anonymous })
  t.strictSame(broughtBy.headers, { 'cf-ipcity': 'Łódź' })
})
