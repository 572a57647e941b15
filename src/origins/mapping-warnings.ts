import { compileMapping } from './mapping.ts'
import { evaluateRequest } from './request-mapping.ts'
import { idStyles, sampleRequest, type IdStyle, type Place } from './sample-requests.ts'

interface Warning {
  key: string
  message: string
}

/** Tries a request mapping with requests for one and for three items, and returns what it makes of them that its author may not expect. */
export async function requestMappingWarnings ({ request }: { request?: string }, place: Place): Promise<Warning[]> {
  if (request === undefined) return []
  const mapping = compileMapping(request)
  const reasons = new Map<IdStyle, string>()
  let usable: IdStyle | undefined
  for (const style of idStyles) {
    try {
      await evaluateRequest(mapping, sampleRequest(place, style, 3))
      usable ??= style
    } catch (error) {
      reasons.set(style, (error as Error).message)
    }
  }
  if (usable === undefined) return [{ key: 'request', message: `fails with every request that was tried: ${reasons.get('words')}` }]
  const lists = place.action === 'rerank-items' || place.action === 'predicted-ratings' ? await lostLists(mapping, place, usable) : []
  if (usable === 'words') return lists
  return [...lists, { key: 'request', message: `takes only ids that are numbers, and answers 400 to others: ${reasons.get('words')}` }]
}

/** Returns a warning for each list that the mapping makes of three items and that becomes a single value with one. */
async function lostLists (mapping: ReturnType<typeof compileMapping>, place: Place, style: IdStyle): Promise<Warning[]> {
  const three = await evaluateRequest(mapping, sampleRequest(place, style, 3))
  const one = await evaluateRequest(mapping, sampleRequest(place, style, 1)).catch((error: unknown) => error as Error)
  if (one instanceof Error) return [{ key: 'request', message: `takes three items and fails with one: ${one.message}` }]
  return differences(three, one, '').map(path => ({
    key: 'request',
    message: `${path === '' ? 'the result' : path} is a list of three items and a single value of one: JSONata makes a value of a list of one; write [ … ] around what makes the list`
  }))
}

/** Returns the paths at which one value has a list and the other has none. */
function differences (three: unknown, one: unknown, path: string): string[] {
  if (Array.isArray(three)) {
    if (!Array.isArray(one)) return [path]
    return three.length > 0 && one.length > 0 ? differences(three[0], one[0], `${path}[0]`) : []
  }
  if (typeof three !== 'object' || three === null || typeof one !== 'object' || one === null) return []
  return Object.entries(three).flatMap(([key, value]) => differences(value, (one as Record<string, unknown>)[key], path === '' ? key : `${path}.${key}`))
}
