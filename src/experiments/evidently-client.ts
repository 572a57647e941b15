import type { EvaluateFeatureRequest, EvaluateFeatureResponse } from '@aws-sdk/client-evidently'
import { environmentRegion } from '../connections/aws-region.ts'
import { openAwsClient } from '../connections/aws.ts'
import type { ExperimentScope } from './experiment.ts'
import { objectOf } from './json-object.ts'
import { createRemembered } from './remembered.ts'

/** The evaluation of a feature for a user. */
export interface Evaluation {
  /** The value of the variation, if it is a text or an integer; others name no variation. */
  readonly value: string | number | undefined
  readonly reason: string | undefined
  readonly details: Readonly<Record<string, unknown>> | undefined
}

export interface EvidentlyEvent {
  /** Epoch ms. */
  readonly at: number
  /** The JSON text of an object. */
  readonly data: string
}

export interface Evidently {
  /** Returns the evaluation of a feature for a user; the promise rejects if there is none in time. */
  evaluate: (project: string, feature: string, userId: string) => Evaluation | Promise<Evaluation>
  /** Sends events, of which a call takes 50. Returns those that the service did not take. */
  put: <T extends EvidentlyEvent>(project: string, events: readonly T[], abortSignal: AbortSignal) => Promise<readonly T[]>
}

/** The most events of a call. */
export const eventsPerCall = 50

/**
 * The limits of evaluations. A user keeps an evaluation for five minutes, in which the service may change its mind; a forgotten one is
 * asked for again.
 */
const evaluations = { most: 100_000, age: 5 * 60_000, patience: 50, mostUnderWay: 256 }

/** Returns the client of an endpoint, and the evaluations that it made, which all configurations share. */
export async function openEvidently (scope: ExperimentScope, endpoint: string): Promise<Evidently> {
  const { evidently } = await scope.share(`evidently ${endpoint}`, async () => createEvidently(scope, endpoint), ({ close }) => { close() })
  return evidently
}

async function createEvidently ({ steady }: ExperimentScope, endpoint: string): Promise<{ evidently: Evidently, close: () => void }> {
  const { EvaluateFeatureCommand, EvidentlyClient, PutProjectEventsCommand } = await import('@aws-sdk/client-evidently')
  // The region is part of the signature only, since the endpoint is given.
  const region = await environmentRegion() ?? 'us-east-1'
  const client = await openAwsClient(EvidentlyClient, { region, endpoint, disableHostPrefix: true })
  // The SDK declares its text of JSON by a type that is gone.
  const ask = async (input: EvaluateFeatureRequest, abortSignal: AbortSignal): Promise<Omit<EvaluateFeatureResponse, 'details'> & { details?: string }> => client.send(new EvaluateFeatureCommand(input), { abortSignal })
  // The first evaluation has no time to load code and to get credentials. A call that is aborted does both, and sends nothing.
  ask({ project: 'none', feature: 'none', entityId: 'none' }, AbortSignal.abort()).catch(() => {})
  const remembered = createRemembered<Evaluation>({ ...evaluations, steady })
  return {
    evidently: {
      evaluate: (project, feature, entityId) => remembered.of(`${JSON.stringify([project, feature])}\n${entityId}`, async abortSignal => {
        const { value, reason, details } = await ask({ project, feature, entityId }, abortSignal)
        return { value: value?.stringValue ?? value?.longValue, reason, details: objectOf(details) }
      }),
      async put (project, events, abortSignal) {
        const { eventResults } = await client.send(new PutProjectEventsCommand({
          project,
          events: events.map(({ at, data }) => ({ type: 'aws.evidently.custom', timestamp: new Date(at), data }))
        }), { abortSignal })
        return events.filter((_, i) => eventResults?.[i]?.errorCode !== undefined)
      }
    },
    close () { client.destroy() }
  }
}
