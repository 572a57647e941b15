import type { Finding } from '../base/validation.ts'
import type { Document } from './document.ts'
import { experimentsOf, recommendersOf } from './elements.ts'

/** The process settings that decide how experiments are evaluated. */
export interface ExperimentSettings {
  /** Absent: experiments of CloudWatch Evidently are evaluated here. */
  evidentlyEndpoint?: string | undefined
}

/** Returns a finding for each experiment of a valid document that is evaluated in another way than it says. */
export function experimentWarnings (document: Document, { evidentlyEndpoint }: ExperimentSettings): Finding[] {
  if (evidentlyEndpoint !== undefined) return []
  return recommendersOf(document).flatMap(experimentsOf)
    .filter(({ value }) => value.method === 'evidently')
    .map(({ pointer }) => ({ pointer: `${pointer}/method`, message: 'evidently ended on 16 October 2025; evaluated as weighted with equal weights, since EVIDENTLY_ENDPOINT is not set' }))
}
