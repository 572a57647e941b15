import { hash } from 'node:crypto'
import Type, { type Static } from 'typebox'
import { strict } from '../../../src/base/schema.ts'

/** A feature of a project, with the split of users between its variations. */
export const FeatureSchema = strict({
  variations: Type.Array(strict({
    name: Type.String({ minLength: 1, maxLength: 127 }),
    value: Type.Union([Type.String(), Type.Boolean(), Type.Number()]),
    weight: Type.Optional(Type.Integer({ minimum: 0, default: 1 }))
  }), { minItems: 1, maxItems: 5 }),
  experiment: Type.Optional(Type.String({ minLength: 1, description: 'the experiment that splits the users; everybody gets the first variation where there is none' }))
})

export type Feature = Static<typeof FeatureSchema>

export interface Features {
  set: (project: string, feature: string, definition: Feature) => void
  /** Returns the variation of a user. A feature that was not set has two variations, "0" and "1", with half of the users each. */
  evaluate: (project: string, feature: string, entityId: string) => { variation: Feature['variations'][number], experiment: string | undefined }
}

/** Creates an empty set of features. */
export function createFeatures (): Features {
  const features = new Map<string, Feature>()
  const key = (...names: string[]): string => JSON.stringify(names)
  return {
    set (project, feature, definition) { features.set(key(project, feature), definition) },
    evaluate (project, feature, entityId) {
      const { variations, experiment } = features.get(key(project, feature)) ?? halves(feature)
      const variation = experiment === undefined ? undefined : draw(variations, share(key(project, feature, entityId)))
      return { variation: variation ?? variations[0]!, experiment }
    }
  }
}

function halves (feature: string): Feature {
  return { variations: [{ name: 'Variation1', value: '0' }, { name: 'Variation2', value: '1' }], experiment: feature }
}

function draw (variations: Feature['variations'], at: number): Feature['variations'][number] | undefined {
  const total = variations.reduce((sum, { weight = 1 }) => sum + weight, 0)
  let end = 0
  return variations.find(({ weight = 1 }) => (end += weight) > at * total)
}

/** Returns a number from 0 up to 1, always the same for the same text. */
function share (text: string): number {
  return parseInt(hash('sha256', text).slice(0, 8), 16) / 2 ** 32
}
