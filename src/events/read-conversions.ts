import { checker } from '../base/validation.ts'
import { actions } from '../origins/origin.ts'
import { recommenderKey, type NamespacePlan, type ExperimentPlan, type RecommenderPlan } from '../plan/plan.ts'
import { ConversionSchema, type Conversion, type RefusedConversion } from '../targets/event.ts'

const check = checker(ConversionSchema)

/** Returns the conversions of a body that the configuration can count, with their metrics, and those that it refuses. */
export function readConversions (namespace: NamespacePlan, given: readonly unknown[], userId: string | undefined): { conversions: Conversion[], refused: RefusedConversion[] } {
  const conversions: Conversion[] = []
  const refused: RefusedConversion[] = []
  for (const [index, value] of given.entries()) {
    const read = userId === undefined ? 'body/userId: is missing; a conversion needs it' : readConversion(namespace, value, `body/experimentConversions/${index}`)
    if (typeof read === 'string') refused.push({ index, message: read })
    else conversions.push(read)
  }
  return { conversions, refused }
}

/** @returns the conversion with its metric, or the reason why it is refused */
function readConversion ({ recommenders }: NamespacePlan, given: unknown, at: string): Conversion | string {
  const { value, findings: [finding] } = check(given, at)
  if (finding !== undefined) return `${finding.pointer}: ${finding.message}`
  const { recommender, feature, metric } = value
  const found = actions.map(action => recommenders.get(recommenderKey(action, recommender))).filter(plan => plan !== undefined)
  if (found.length === 0) return `${at}/recommender: "${recommender}" is not in the configuration`
  if (feature !== undefined && !found.some(({ experiments }) => experiments.has(feature))) return `${at}/feature: "${feature}" is not an experiment of "${recommender}"`
  const experiment = `${feature === undefined ? 'an experiment' : `"${feature}"`} of "${recommender}"`
  if (metric !== undefined) return found.some(plan => measures(plan, feature, metric)) ? value : `${at}/metric: "${metric}" is not a metric of ${experiment}`
  const [only, ...others] = new Set(found.flatMap(plan => concerned(plan, feature).flatMap(({ metrics }) => Object.keys(metrics ?? {}))))
  if (only !== undefined && others.length === 0) return { ...value, metric: only }
  return `${at}/metric: is missing; ${only === undefined ? 'expected a string of 1 to 128 characters' : `expected one of ${JSON.stringify([only, ...others])}, the metrics of ${experiment}`}`
}

/** Returns whether an experiment of a recommender counts a metric: the named one, or any of them if `feature` is absent. */
function measures (plan: RecommenderPlan, feature: string | undefined, metric: string): boolean {
  return (plan.experiments.size === 0 && feature === undefined) || concerned(plan, feature).some(({ metrics }) => metrics === undefined || Object.hasOwn(metrics, metric))
}

function concerned ({ experiments }: RecommenderPlan, feature: string | undefined): ExperimentPlan[] {
  return [...experiments.values()].filter(experiment => feature === undefined || experiment.feature === feature)
}
