import Type from 'typebox'
import { awsClient, parseArn } from '../connections/aws.ts'
import { awsFailureOf } from '../delivery/aws-refusals.ts'
import { failures } from '../delivery/failures.ts'
import type { Failure } from '../delivery/sink.ts'
import type { Scope } from '../connections/scope.ts'
import { openDataset, type Dataset, type DatasetSink, type EntryKind } from '../delivery/dataset.ts'

/** Of one call; an account may make ten a second. https://docs.aws.amazon.com/personalize/latest/dg/limits.html */
const limits = { parcels: 10, bytes: 1024 * 1024, calls: 2 }

/** An import into the dataset, or a change of it, is under way. */
const inUse: Failure = { reason: 'it is in use', retry: 'later', away: false }

function datasetArn (kind: 'USERS' | 'ITEMS') {
  return Type.Optional(Type.String({ pattern: `^arn:aws[a-z-]*:personalize:[a-z0-9-]+:[0-9]{12}:dataset/[a-zA-Z0-9_-]+/${kind}$`, maxLength: 256 }))
}

/** The datasets that an event tracker's part of the configuration may name beside it. */
export const datasetArns = { usersDatasetArn: datasetArn('USERS'), itemsDatasetArn: datasetArn('ITEMS') }

/** A dataset of Amazon Personalize: ten users or items a call, asked in the region of its ARN. */
export async function openPersonalizeDataset (kind: EntryKind, arn: string, scope: Scope): Promise<Dataset> {
  const { PersonalizeEventsClient, PutItemsCommand, PutUsersCommand } = await import('@aws-sdk/client-personalize-events')
  const client = await awsClient(scope, PersonalizeEventsClient, parseArn(arn).region)
  const send: DatasetSink['send'] = async (entries, abortSignal) => {
    if (kind === 'users') await client.send(new PutUsersCommand({ datasetArn: arn, users: entries.map(({ id, properties }) => ({ userId: id, properties })) }), { abortSignal })
    else await client.send(new PutItemsCommand({ datasetArn: arn, items: entries.map(({ id, properties }) => ({ itemId: id, properties })) }), { abortSignal })
    return entries.map(() => undefined)
  }
  return openDataset(scope, arn, { limits, atomic: true, send, failureOf })
}

function failureOf (error: unknown, signal: AbortSignal): Failure {
  if ((error as Error).name === 'ResourceInUseException') return inUse
  const failure = awsFailureOf(error, signal)
  // Other than an event, an entry may be put twice: where it is not known what became of a call, it is made again.
  return failure === failures.timeout || failure === failures['invalid-answer'] ? failures.unavailable : failure
}
