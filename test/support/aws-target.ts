import type { AwsLocal } from '../../docker/aws-local/app.ts'
import type { Misbehaviour, TargetUnderTest } from '../contracts/event-target.ts'
import { arrivalsOf, type EventRecord } from './event-records.ts'

/** Makes a service of AWS behave badly in the ways that the contract of event targets knows. */
export function misbehaving (aws: AwsLocal, service: string): (how?: Misbehaviour) => void {
  return how => {
    if (how === undefined) aws.behaviours.reset(service)
    else aws.behaviours.set(service, how === 'throttle' ? { throttleShare: 0.3 } : { failure: how === 'away' ? 'empty-503' : 'hang' })
  }
}

interface Batch {
  Records: Array<{ Data: string }>
}

/** The texts of the records that a service with calls of many records has taken, in the order in which they came. */
export function recordsTaken (aws: AwsLocal, service: string, resultsOf: (answer: never) => Array<{ ErrorCode?: string }>): string[] {
  return aws.requests.of(service).filter(({ reply }) => reply?.status === 200).flatMap(({ body, reply }) => {
    const results = resultsOf(reply!.body as never)
    return (body as Batch).Records.filter((_record, i) => results[i]!.ErrorCode === undefined).map(({ Data }) => Buffer.from(Data, 'base64').toString())
  })
}

/** A target of records in a service of AWS. */
export function awsTarget (aws: AwsLocal, service: string, config: TargetUnderTest['config'], taken: () => string[]): TargetUnderTest {
  return {
    config,
    arrived: () => arrivalsOf(taken().map(text => JSON.parse(text) as EventRecord)),
    text: () => taken().join('\n'),
    misbehave: misbehaving(aws, service),
    calls: () => aws.requests.of(service).length
  }
}
