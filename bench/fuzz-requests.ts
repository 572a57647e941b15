import type { Operation, Parameter } from './fuzz-oracle.ts'

export interface FuzzedRequest {
  operation: Operation
  url: string
  path: ReadonlyMap<string, string>
  query: ReadonlyArray<readonly [string, string]>
}

const numbers = [
  '0', '1', '5', '25', '499', '500', '501', '-1', '-0', '+5', '05', '0025', '00', '5.0', '5.', '.5', '1e1', '1E2', '1e-1', '1e999', '-1e999', '0x10', '0X1F', '0b11', '0o17', 'Infinity', '-Infinity', 'NaN', '5n',
  '1_0', '1,0', ' 5', '5 ', '\t5', '5\n', '\n5', '5\r\n', '5\u2028', '5\u2029', '\ufeff5', '5\0', '5\u00a0', '٥', '५', '５', '²', 'Ⅴ', '9007199254740993', '9'.repeat(400), `${'0'.repeat(300)}7`, 'true', 'null', '[5]', '"5"', '{}', ''
]

const texts = [
  'user-1', 'item-1', 'tea', '0', '-1', 'null', 'undefined', 'true', 'YES', 'false', '[]', '{}', '{', '__proto__', 'constructor', 'toString', '.', '..', '../..', 'a/b', 'a\\b', 'a,b', ',', 'a,', ',,', 'a b', 'a+b', '%', '%25', '%ff', '%2C',
  '&', '=', 'a=b', '?', '#', ';', '"', '\'', '<script>', '\0', '\r\nX-Evil: 1', '\u0085', '\u00ad', '\u200b', '\u202e', '\u2028', '\ufeff', '\ufffd', '\uffff', '\u{10ffff}', 'é', 'e\u0301', 'ß', 'İ', '日本語', '👩‍👩‍👧', '🇨🇭', 'نص', '\ud7ff', '\ue000',
  'x'.repeat(128), 'x'.repeat(129), 'x'.repeat(256), 'x'.repeat(257), '💥'.repeat(128), '💥'.repeat(256), '💥'.repeat(257), 'é'.repeat(256), 'x'.repeat(2_000), 'a,'.repeat(499) + 'a', 'a,'.repeat(500) + 'a', 'a,'.repeat(5_000)
]

const jsons = [
  '{}', ' { } ', '{"a":"b"}', '{"b":"1","a":"2"}', '{"a":"b","a":"c"}', '{"a":1}', '{"a":null}', '{"a":{}}', '{"a":["b"]}', '{"a":true}', '[]', '["a"]', '"a"', '1', 'null', 'true', '', ' ', '{', '{"a"}', '{a:"b"}', '{\'a\':\'b\'}', '{"a":"b"}x', '{"":"x"}',
  '{"__proto__":"x"}', '{"constructor":"x"}', '{"a":"\\ud83d"}', '{"\\ud83d":"a"}', '{"a":"\\u0000"}', '{"a":1e999}', '{"💥":"💥"}', '\ufeff{}', '{"a":"b",}', '[['.repeat(500), '{"a":'.repeat(500)
]

/** Texts that are no valid escapes. */
const badEscapes = ['%', '%f', '%ff', '%zz', '%C3', '%C3%28', '%C0%AF', '%ED%A0%80', '%F4%90%80%80', '%E2%80', '100%', '%u0041', '%%', 'a%2']

const strangeNames = ['numResult', 'numresults', 'NUMRESULTS', 'items', 'itemIds', 'userid', 'user_id', '__proto__', 'constructor', 'a b', 'é', '💥', 'a\r\nb', 'x'.repeat(300), '', 'filter[]', 'context[a]']

const alphabets: ReadonlyArray<readonly [number, number]> = [[0x20, 0x7e], [0x00, 0x1f], [0x80, 0x24f], [0x300, 0x36f], [0x590, 0x6ff], [0x900, 0x97f], [0x2000, 0x206f], [0x3040, 0x30ff], [0x4e00, 0x4fff], [0xe000, 0xe0ff], [0xfe00, 0xffff], [0x1f300, 0x1faff], [0x10fff0, 0x10ffff]]

/**
 * Makes requests from the operations of an OpenAPI document: valid ones, and all kinds of invalid ones.
 * @param next returns a random number, 0 ≤ x < 1
 */
export function createRequests (operations: readonly Operation[], names: Readonly<Record<string, readonly string[]>>, next: () => number): () => FuzzedRequest {
  const integer = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1))
  const pick = <T>(values: readonly T[]): T => values[integer(0, values.length - 1)]!

  function anyText (): string {
    const [from, to] = pick(alphabets)
    return String.fromCodePoint(...Array.from({ length: integer(1, pick([3, 20, 300])) }, () => integer(from, to)))
  }

  function ofLength (schema: Record<string, unknown>): string {
    const { minLength = 0, maxLength = 20 } = schema as { minLength?: number, maxLength?: number }
    const length = pick([minLength, minLength + 1, maxLength, integer(minLength, maxLength)])
    return pick(['x', 'é', '日', '💥']).repeat(Math.max(length, 1))
  }

  function validText ({ schema = {}, content }: Parameter): string {
    if (content !== undefined) return pick(['{}', '{"a":"b"}', JSON.stringify({ [anyText()]: anyText() }), JSON.stringify(Object.fromEntries(Array.from({ length: integer(0, 30) }, (_, i) => [`k${i}`, 'v'])))])
    if (schema['type'] === 'integer') return String(integer(schema['minimum'] as number, schema['maximum'] as number))
    if (schema['pattern'] !== undefined) return pick(['a', 'home-page', 'A_1.b', 'x'.repeat(128)])
    return pick(['user-1', 'item-1', pick(['yes', 'no', '1']), ofLength(schema)])
  }

  function hostileText ({ schema = {}, content }: Parameter): string {
    if (next() < 0.3) return anyText()
    if (content !== undefined && next() < 0.7) return pick(jsons)
    return pick(schema['type'] === 'integer' && next() < 0.7 ? numbers : texts)
  }

  /** Encodes a text in one of many ways that mean the same. */
  function encoded (text: string): string {
    const wellFormed = text.toWellFormed()
    switch (integer(0, 4)) {
      case 0: return [...Buffer.from(wellFormed)].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')
      case 1: return encodeURIComponent(wellFormed).replaceAll(/%[0-9A-F]{2}/g, escape => escape.toLowerCase())
      case 2: return encodeURIComponent(wellFormed).replaceAll(/%(?:2C|3A|40|24)/g, decodeURIComponent)
      default: return encodeURIComponent(wellFormed)
    }
  }

  function rawValue (parameter: Parameter): string {
    const kind = next()
    if (kind < 0.03) return pick(badEscapes)
    if (parameter.schema?.['type'] === 'array') {
      const ids = (parameter.schema['items'] as Record<string, unknown> | undefined) ?? {}
      if (kind < 0.3) return encoded(pick(texts)).replaceAll('%2C', () => pick([',', '%2C']))
      return Array.from({ length: pick([1, 2, 5, 40]) }, () => encoded(next() < 0.9 ? pick(['item-1', 'tea', '1,5-liter', ofLength({ ...ids, maxLength: 20 })]) : anyText())).join(',')
    }
    return encoded(kind < 0.5 ? validText(parameter) : hostileText(parameter))
  }

  function pathValue (parameter: Parameter): string {
    const known = names[parameter.name]
    if (known !== undefined && next() < 0.8) return encoded(pick(known))
    return rawValue(parameter) || 'x'
  }

  return () => {
    const operation = pick(operations)
    const path = new Map(operation.parameters.filter(parameter => parameter.in === 'path').map(parameter => [parameter.name, next() < 0.5 ? encoded(validText(parameter)) : pathValue(parameter)]))
    for (const [name, known] of Object.entries(names)) if (path.has(name) && next() < 0.8) path.set(name, encoded(pick(known)))
    const query: Array<readonly [string, string]> = []
    for (const parameter of operation.parameters.filter(parameter => parameter.in === 'query')) {
      if (parameter.required !== true && next() < 0.6) continue
      const name = next() < 0.9 ? parameter.name : encoded(parameter.name)
      query.push([name, next() < 0.1 ? '' : rawValue(parameter)])
      if (next() < 0.03) query.push([parameter.name, rawValue(parameter)])
    }
    if (next() < 0.1) query.push([encoded(pick(strangeNames)), encoded(pick(texts))])
    if (next() < 0.01) query.push([pick(badEscapes), '1'])
    const filled = [...path].reduce((url, [name, raw]) => url.replace(`{${name}}`, () => raw), operation.path)
    const url = query.length === 0 ? filled : `${filled}?${query.map(([name, raw]) => raw === '' && name !== '' && next() < 0.5 ? name : `${name}=${raw}`).join('&')}`
    return { operation, url, path, query }
  }
}
