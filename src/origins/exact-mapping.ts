import { inexactNumbers, parseExactly } from '../base/exact-json.ts'

/** The ids in the result of a mapping, in order, as text. */
export interface Ids {
  readonly values: readonly string[]
  set: (index: number, id: string) => void
}

/** The error for an id that comes from a number whose digits are lost. */
export class InexactIdError extends Error {
  /** As written in the text. */
  readonly number: string

  constructor (number: string, options?: ErrorOptions) {
    super(`an id comes from the number ${number}`, options)
    this.name = 'InexactIdError'
    this.number = number
  }
}

/**
 * Evaluates a mapping on a JSON text so that ids keep the digits of numbers as written, although JSONata knows only doubles.
 *
 * The mapping gets integers that a double cannot hold as text. A number such as `1.0` has to stay a number, because it may be a score.
 * To learn which ids come from such numbers, the mapping is evaluated again with each of these numbers changed a little, in its own way.
 * An id that changes with a number comes from this number, and gets its digits.
 * @param idsOf returns the ids in the mapping's result
 * @returns the mapping's result
 * @throws SyntaxError; what `map` throws; InexactIdError if it is not clear which id comes from which number
 */
export async function mapExactly (text: string, map: (input: unknown) => Promise<unknown>, idsOf: (result: unknown) => Ids): Promise<unknown> {
  const inexact = inexactNumbers(text)
  if (inexact.size === 0) return map(JSON.parse(text))
  const traces = tracesOf(inexact)
  const result = await map(parseExactly(text, written => traces.has(written) ? Number(written) : written))
  const ids = idsOf(result)
  // An id that stands in the text as a string comes from no number.
  const inIds = new Set(ids.values.filter(id => !text.includes(JSON.stringify(id))).flatMap(numbersIn))
  const suspect = [...traces].find(([, { double }]) => inIds.has(double))
  if (suspect === undefined) return result

  const byChanged = new Map([...traces.values()].map(trace => [trace.changed, trace]))
  const again = await map(parseExactly(text, written => traces.get(written)?.value ?? written)).catch((cause: unknown) => { throw new InexactIdError(suspect[0], { cause }) })
  const { values } = idsOf(again)
  // The change of a number can also have changed what is in the list, or its order.
  if (values.length !== ids.values.length) throw new InexactIdError(suspect[0])
  for (const [i, id] of values.entries()) {
    const number = numbersIn(id).find(number => byChanged.has(number))
    if (number === undefined) continue
    const expected = replaceNumbers(id, number => byChanged.get(number)?.double ?? number)
    // The text of the double of -0 has no sign.
    if (expected.replaceAll('-', '') !== ids.values[i]!.replaceAll('-', '')) throw new InexactIdError(byChanged.get(number)!.digits)
    ids.set(i, replaceNumbers(id, number => byChanged.get(number)?.digits ?? number))
  }
  return result
}

/** A number that the mapping gets as a double although it is written in another way. All texts are without a sign. */
interface Trace {
  digits: string
  double: string
  /** The changed number, and its text. */
  value: number
  changed: string
}

/** The relative change of the first number. It keeps the order of numbers that differ in their first 9 digits, for thousands of numbers. */
const change = 1e-13

function tracesOf (inexact: ReadonlySet<string>): Map<string, Trace> {
  const traced = [...inexact].filter(written => /[.eE]|^-0$/.test(written) && Number.isFinite(Number(written)))
  return new Map(traced.map((written, i) => {
    const size = Math.abs(Number(written))
    const changed = Number((size === 0 ? change * (i + 1) : size * (1 + change * (i + 1))).toPrecision(15))
    return [written, { digits: unsigned(written), double: String(size), value: written.startsWith('-') ? -changed : changed, changed: String(changed) }]
  }))
}

const number = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

function numbersIn (id: string): string[] {
  return id.match(number) ?? []
}

function replaceNumbers (id: string, replace: (number: string) => string): string {
  return id.replace(number, replace)
}

function unsigned (text: string): string {
  return text.replace(/^-/, '')
}
