import type Jsonata from 'jsonata'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createMeasure, within, type Measure } from './value-size.ts'

/** Bounds of one evaluation: characters of a value, members of a list, characters of a picture of numbers or dates, ms of computing. */
export const bounds = { value: 2_000_000, list: 10_000, picture: 1_000, time: 200 }

/** The most members of a list that `$distinct` compares pair by pair. */
const mostCompared = 1_000

/** The ms after which an evaluation lets other work run. */
const slice = 10

/** The limits of one evaluation, and the part of them that it has used. */
interface Budget {
  readonly measure: Measure
  /** The characters of its largest value. */
  readonly most: number
  made: number
  /** The ms that it computed in earlier slices. */
  used: number
  /** When the slice began, by the clock and by what the process had computed. */
  since: number
  sinceComputed: number
  cloned: boolean
}

interface NativeFunction {
  _jsonata_function: true
  implementation: (...args: unknown[]) => unknown
  signature?: object
}

type Frame = Jsonata.Environment
type Check = (budget: Budget, args: unknown[]) => void

/** The name of the variable that holds the budget. No expression can name it. */
const budgetName = ' budget'
const entry = Symbol.for('jsonata.__evaluate_entry')
const exit = Symbol.for('jsonata.__evaluate_exit')

const lengthOf = (value: unknown): number => typeof value === 'string' ? value.length : 0

/** Checks of the functions whose results can be much larger than their arguments, before they run. */
const checks: Readonly<Record<string, Check>> = {
  pad ({ most }, [, width, char]) {
    within(Math.abs(Number(width)) * Math.max(lengthOf(char), 1), most)
  },
  join ({ most, measure }, [list, separator]) {
    within(measure(list, most) + lengthOf(separator) * (Array.isArray(list) ? list.length : 0), most)
  },
  replace ({ most }, [text, pattern, replacement, limit]) {
    const times = Math.min(occurrences(text, pattern), Number(limit ?? Infinity))
    within(lengthOf(text) + times * (typeof replacement === 'string' ? replacement.length : slackOfFunction), most)
  },
  split (_budget, [text, separator, limit]) {
    if (Number(limit ?? Infinity) > bounds.list && occurrences(text, separator) >= bounds.list) throw new Error(`the mapping makes a list of more than ${bounds.list.toLocaleString('en')} members`)
  },
  zip ({ most }, lists) {
    within(lists.length * Math.min(...lists.map(list => Array.isArray(list) ? list.length : 0)) * 8, most)
  },
  string ({ most, measure }, [value, pretty]) {
    // Indenting makes the text of a deeply nested value many times longer.
    measure(value, pretty === true ? most / 20 : most)
  },
  clone (budget, [value]) {
    budget.measure(value, budget.most)
    budget.cloned = true
  },
  distinct (_budget, [list]) {
    if (Array.isArray(list) && list.length > mostCompared && list.some(member => typeof member === 'object')) throw new Error(`$distinct compares at most ${mostCompared.toLocaleString('en')} objects or lists`)
  },
  formatNumber: picture(1),
  formatInteger: picture(1),
  parseInteger: picture(1),
  fromMillis: picture(1),
  toMillis: picture(1),
  now: picture(0)
}

/** The functions that make texts and lists, besides those with a check. */
const makers = ['substring', 'substringBefore', 'substringAfter', 'lowercase', 'uppercase', 'trim', 'formatBase', 'append', 'spread', 'merge', 'reverse', 'each', 'map', 'filter',
  'sift', 'keys', 'sort', 'shuffle', 'match', 'reduce', 'base64encode', 'base64decode', 'encodeUrlComponent', 'encodeUrl', 'decodeUrlComponent', 'decodeUrl']

/** The length of a function in a text, where one stands in the place of a text. */
const slackOfFunction = 2_000

function picture (index: number): Check {
  return (_budget, args) => {
    const text = typeof args[index] === 'string' ? args[index] : ''
    if (text.length > bounds.picture || (text.match(/\d+/g) ?? []).some(number => Number(number) > bounds.picture)) throw new Error(`a picture of a number or a time may have ${bounds.picture.toLocaleString('en')} characters and widths up to as many`)
  }
}

/** Returns how often a pattern occurs in a text; Infinity for the empty pattern. */
function occurrences (text: unknown, pattern: unknown): number {
  if (typeof text !== 'string' || typeof pattern !== 'string') return 0
  if (pattern === '') return text.length
  let times = 0
  for (let at = text.indexOf(pattern); at !== -1; at = text.indexOf(pattern, at + pattern.length)) times++
  return times
}

function budgetOf (frame: Frame): Budget {
  return frame.lookup(budgetName) as Budget
}

/** Returns the ms that this process has computed; the time that it waited for a busy machine does not count. */
function computed (): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Returns the time that an evaluation has computed since it let other work run; 0 for less than a slice. @throws Error if it has computed for too long */
function runningTime ({ used, since, sinceComputed }: Budget): number {
  if (performance.now() - since < slice) return 0
  const running = computed() - sinceComputed
  if (used + running > bounds.time) throw new Error(`the mapping computes for longer than ${bounds.time} ms`)
  return running
}

function startSlice (budget: Budget): void {
  budget.since = performance.now()
  budget.sinceComputed = computed()
}

/** Counts what a function made: a text by its characters, a list by its members. */
function count (budget: Budget, result: unknown): void {
  const size = typeof result === 'string' ? result.length : Array.isArray(result) ? result.length * 8 : 0
  within(size, budget.most)
  budget.made += size
  within(budget.made, budget.most * 4)
}

function bound ({ implementation, ...rest }: NativeFunction, check: Check | undefined): NativeFunction {
  const bounded = function (this: { environment: Frame }, ...args: unknown[]): unknown {
    const budget = budgetOf(this.environment)
    runningTime(budget)
    check?.(budget, args)
    const result = implementation.apply(this, args)
    if (result instanceof Promise) return result.then((value: unknown) => { count(budget, value); return value })
    count(budget, result)
    return result
  }
  // JSONata reads the number and the names of a function's parameters.
  Object.defineProperties(bounded, { length: { value: implementation.length }, toString: { value: () => implementation.toString() } })
  return { ...rest, implementation: bounded }
}

/** Checks the result of each node of an expression, and lets other work run between nodes. */
async function afterNode ({ type, value }: { type: string, value?: unknown }, _input: unknown, frame: Frame, result: unknown): Promise<void> {
  const budget = budgetOf(frame)
  if (type === 'binary' && value === '&') count(budget, result)
  else if (typeof result === 'object' && result !== null) {
    // The transform operator changes its copy of a value after parts of it have been measured.
    if (budget.cloned) budget.measure.forget()
    budget.measure(result, budget.most)
  }
  const running = runningTime(budget)
  if (running === 0) return
  budget.used += running
  await nextTurn()
  startSlice(budget)
}

/** Returns JSONata's own functions as an expression sees them, with bounds. */
function boundedFunctions (expression: Jsonata.Expression, names: string[]): Array<[string, NativeFunction]> {
  let found: Array<[string, NativeFunction]> = []
  // JSONata calls this before it evaluates anything, and before `evaluate` waits for anything.
  expression.assign(entry as unknown as string, (_node: unknown, _input: unknown, frame: Frame) => {
    found = names.map(name => [name, bound(frame.lookup(name) as NativeFunction, checks[name])])
    throw new Error('only the functions are wanted')
  })
  expression.evaluate(undefined).catch(() => {})
  expression.assign(entry as unknown as string, undefined)
  return found
}

/** The functions that all expressions share: all but `$now`, which knows the time of its expression. Filled with the first expression. */
let shared: Array<[string, NativeFunction]> | undefined

/** Bounds what an expression may make. Evaluate it with the variables of `budgetFor`. */
export function boundExpression (expression: Jsonata.Expression): void {
  shared ??= boundedFunctions(expression, [...Object.keys(checks).filter(name => name !== 'now'), ...makers])
  for (const [name, bounded] of [...shared, ...boundedFunctions(expression, ['now'])]) expression.assign(name, bounded)
  expression.assign(exit as unknown as string, afterNode)
}

/** Returns the variables that bound one evaluation on an input. A value may be twice as large as the input, if that is more than the bound. */
export function budgetFor (input: unknown): Record<string, unknown> {
  const measure = createMeasure()
  const most = Math.max(bounds.value, 2 * measure(input, Infinity))
  const budget: Budget = { measure, most, made: 0, used: 0, since: 0, sinceComputed: 0, cloned: false }
  startSlice(budget)
  return { [budgetName]: budget }
}
