import Type from 'typebox'
import { awsClient, parseArn } from '../connections/aws.ts'
import { awsFailureOf } from '../delivery/aws-refusals.ts'
import { failures } from '../delivery/failures.ts'
import type { Failure } from '../delivery/sink.ts'
import type { Scope } from '../connections/scope.ts'
import { openDataset, type Dataset, type DatasetSink, type EntryKind } from '../delivery/dataset.ts'

/** The limits of one call; an account may make ten calls a second. https://docs.aws.amazon.com/personalize/latest/dg/limits.html */
const limits = { parcels: 10, bytes: 1024 * 1024, calls: 2 }

/** The failure while an import into the dataset, or a change of it, is running. */
const inUse: Failure = { reason: 'it is in use', retry: 'later', away: false }

function datasetArn (kind: 'USERS' | 'ITEMS') {
  return Type.Optional(Type.String({ pattern: `^arn:aws[a-z-]*:personalize:[a-z0-9-]+:[0-9]{12}:dataset/[a-zA-Z0-9_-]+/${kind}$`, maxLength: 256 }))
}

/** The keys for datasets in the configuration of an event tracker. */
export const datasetArns = { usersDatasetArn: datasetArn('USERS'), itemsDatasetArn: datasetArn('ITEMS') }

/** Opens a dataset of Amazon Personalize in the region of its ARN. A call puts up to ten users or items. */
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
  // Unlike an event, an entry may be put twice. A call with an unknown outcome is retried.
  return failure === failures.timeout || failure === failures['invalid-answer'] ? failures.unavailable : failure
}
