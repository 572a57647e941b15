import type { AwsLocal } from '../../docker/aws-local/app.ts'
import type { Misbehaviour, TargetUnderTest } from '../contracts/event-target.ts'
import { arrivalsOf, type EventRecord } from './event-records.ts'

/** Returns a function that makes a service of AWS misbehave in the ways of the event targets' contract. */
export function misbehaving (aws: AwsLocal, service: string): (how?: Misbehaviour) => void {
  return how => {
    if (how === undefined) aws.behaviours.reset(service)
    else aws.behaviours.set(service, how === 'throttle' ? { throttleShare: 0.3 } : { failure: how === 'away' ? 'empty-503' : 'hang' })
  }
}

interface Batch {
  Records: Array<{ Data: string }>
}

/** Returns the texts of the records that a service with batch calls has accepted, in order of arrival. */
export function recordsTaken (aws: AwsLocal, service: string, resultsOf: (answer: never) => Array<{ ErrorCode?: string }>): string[] {
  return aws.requests.of(service).filter(({ reply }) => reply?.status === 200).flatMap(({ body, reply }) => {
    const results = resultsOf(reply!.body as never)
    return (body as Batch).Records.filter((_record, i) => results[i]!.ErrorCode === undefined).map(({ Data }) => Buffer.from(Data, 'base64').toString())
  })
}

/** Returns an event target under test that sends records to a service of AWS. */
export function awsTarget (aws: AwsLocal, service: string, config: TargetUnderTest['config'], taken: () => string[]): TargetUnderTest {
  return {
    config,
    arrived: () => arrivalsOf(taken().map(text => JSON.parse(text) as EventRecord)),
    text: () => taken().join('\n'),
    misbehave: misbehaving(aws, service),
    calls: () => aws.requests.of(service).length
  }
}
