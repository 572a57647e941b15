import type { Finding } from '../base/validation.ts'
import type { Document } from './document.ts'
import { experimentsOf, recommendersOf } from './elements.ts'

/** The process settings that decide how experiments are evaluated. */
export interface ExperimentSettings {
  /** Absent: experiments of CloudWatch Evidently are evaluated here. */
  evidentlyEndpoint?: string | undefined
  /** Whether several workers serve without Redis, so that each counts alone. */
  countsApart?: boolean | undefined
}

/** Returns a finding for each experiment of a valid document that is evaluated in another way than it says, and one if no process has all counts. */
export function experimentWarnings (document: Document, { evidentlyEndpoint, countsApart = false }: ExperimentSettings): Finding[] {
  const experiments = recommendersOf(document).flatMap(experimentsOf)
  const [first] = experiments
  return [
    ...(evidentlyEndpoint === undefined ? evaluatedHere(experiments) : []),
    ...(countsApart && first !== undefined ? [{ pointer: first.pointer, message: 'each of the WORKERS counts its experiments alone, since REDIS_URL is not set: a report shows the counts of the worker that answers it' }] : [])
  ]
}

function evaluatedHere (experiments: ReturnType<typeof experimentsOf>): Finding[] {
  return experiments
    .filter(({ value }) => value.method === 'evidently')
    .map(({ pointer }) => ({ pointer: `${pointer}/method`, message: 'evidently ended on 16 October 2025; evaluated as weighted with equal weights, since EVIDENTLY_ENDPOINT is not set' }))
}
