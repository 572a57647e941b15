import Type, { type Static } from 'typebox'
import { NameSchema, strict } from '../base/schema.ts'
import { commonProperties } from './common.ts'
import { experimentMethod, type Experiment, type Why } from './experiment.ts'
import { uniform } from './uniform.ts'

const share = Type.Number({ minimum: 0, maximum: 1 })
const moment = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(:\\d{2}(\\.\\d+)?)?(Z|[+-]\\d{2}:\\d{2})$', description: 'An ISO 8601 time with its zone.' })

/** The settings that say which users take part, and when. */
export const splitProperties = {
  seed: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'Experiments with one seed split users alike. The default is the experiment\'s place.' })),
  exposure: Type.Optional(share),
  overrides: Type.Optional(Type.Record(Type.String({ minLength: 1, maxLength: 256 }), NameSchema)),
  audience: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String(), { minItems: 1 }))),
  layer: Type.Optional(strict({ name: NameSchema, from: share, to: share })),
  startsAt: Type.Optional(moment),
  endsAt: Type.Optional(moment)
}

/** Returns the problems of the settings that say which users take part, and when. */
export function checkSplit ({ layer, startsAt, endsAt }: Split): Array<{ key: string, message: string }> {
  const unread = Object.entries({ startsAt, endsAt }).filter(([, at]) => at !== undefined && Number.isNaN(Date.parse(at)))
  return [
    ...unread.map(([key]) => ({ key, message: 'is no time; expected one such as 2026-12-01T09:00:00Z' })),
    ...startsAt !== undefined && endsAt !== undefined && Date.parse(startsAt) >= Date.parse(endsAt) ? [{ key: 'endsAt', message: 'is not after startsAt: the experiment never runs' }] : [],
    ...layer !== undefined && layer.from >= layer.to ? [{ key: 'layer', message: 'is empty: expected from to be less than to' }] : []
  ]
}

/** Between these weights, the sum of all is a number, and so is ln(u) divided by one. */
const leastWeight = 1e-6
const mostWeight = 1e12

type Split = Static<ReturnType<typeof strict<typeof splitProperties>>>

/**
 * The built-in method: weighted rendezvous hashing (Thaler and Ravishankar, 1998; the weights as in Schindelhauer and Schomaker, 2005).
 * Each variation draws u = hash(seed, user, variation), and the greatest ln(u)/weight wins. So the order of the variations does not
 * matter, and a changed weight or another variation moves only the users that have to move.
 */
export const weighted = experimentMethod({
  type: 'weighted',
  schema: strict({
    method: Type.Literal('weighted'),
    ...commonProperties,
    weights: Type.Record(NameSchema, Type.Number({ minimum: 0 }), { additionalProperties: false, minProperties: 1 }),
    ...splitProperties
  }),
  check: ({ weights, ...split }) => [
    ...Object.values(weights).some(weight => weight > 0) ? [] : [{ key: 'weights', message: 'expected one above 0' }],
    ...Object.values(weights).some(weight => weight > 0 && (weight < leastWeight || weight > mostWeight)) ? [{ key: 'weights', message: `expected 0, or numbers from ${leastWeight} to ${mostWeight}` }] : [],
    ...checkSplit(split)
  ],
  open: ({ weights, ...split }, { namespace, recommender, feature }) =>
    openWeighted(new Map(Object.entries(weights)), { ...split, seed: split.seed ?? `${namespace}/${recommender}/${feature}` })
})

/** Returns an experiment that splits users by weight. A variation of weight 0 gets nobody. */
export function openWeighted (weights: ReadonlyMap<string, number>, split: Split & { seed: string }): Experiment {
  const positive = [...weights].filter(([, weight]) => weight > 0).sort(([a], [b]) => a < b ? -1 : 1)
  const total = positive.reduce((sum, [, weight]) => sum + weight, 0)
  const admit = admission(split)
  return {
    shares: new Map(positive.map(([name, weight]) => [name, weight / total])),
    settledUntil: now => nextOf(split, now),
    assign (unit) {
      const hashes: Record<string, number> = {}
      const override = split.overrides !== undefined && Object.hasOwn(split.overrides, unit.userId) ? split.overrides[unit.userId] : undefined
      const why = admit(unit, hashes)
      if (why === 'not-running') return { variation: undefined, why, hashes }
      if (override !== undefined) return { variation: override, why: 'override', hashes }
      if (why !== 'assigned') return { variation: undefined, why, hashes }
      return { variation: draw(positive, split.seed, unit.userId, hashes), why, hashes }
    }
  }
}

/** Returns the time of the next start or end; Infinity if there is none. */
export function nextOf ({ startsAt, endsAt }: Pick<Split, 'startsAt' | 'endsAt'>, now: number): number {
  const ahead = [startsAt, endsAt].filter(at => at !== undefined).map(at => Date.parse(at)).filter(at => at > now)
  return Math.min(Infinity, ...ahead)
}

/** Returns the variation that wins, and notes the draw of each. */
function draw (weights: ReadonlyArray<readonly [string, number]>, seed: string, userId: string, hashes: Record<string, number>): string | undefined {
  let winner: string | undefined
  let best = -Infinity
  for (const [name, weight] of weights) {
    const drawn = hashes[name] = uniform(seed, userId, name)
    const score = Math.log(drawn) / weight
    if (score <= best) continue
    best = score
    winner = name
  }
  return winner
}

/** Returns a function that says whether a unit takes part. Each share is decided by a hash of its own, so that a larger one adds users and moves nobody. */
function admission ({ seed, exposure = 1, audience, layer, startsAt, endsAt }: Split & { seed: string }): (unit: Parameters<Experiment['assign']>[0], hashes: Record<string, number>) => Extract<Why, 'assigned' | 'not-running' | 'audience' | 'layer' | 'exposure'> {
  const starts = startsAt === undefined ? -Infinity : Date.parse(startsAt)
  const ends = endsAt === undefined ? Infinity : Date.parse(endsAt)
  const wanted = Object.entries(audience ?? {}).map(([key, values]) => [key, new Set(values)] as const)
  return ({ userId, context, now }, hashes) => {
    if (now < starts || now >= ends) return 'not-running'
    for (const [key, values] of wanted) {
      const value = context?.[key]
      if (value === undefined || !values.has(value)) return 'audience'
    }
    if (layer !== undefined) {
      const at = hashes['layer'] = uniform('layer', layer.name, userId)
      if (at < layer.from || at >= layer.to) return 'layer'
    }
    if (exposure < 1) {
      const at = hashes['exposure'] = uniform(seed, 'exposure', userId)
      if (at >= exposure) return 'exposure'
    }
    return 'assigned'
  }
}
