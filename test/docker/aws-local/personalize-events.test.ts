import { PersonalizeEventsClient, PutEventsCommand, PutItemsCommand, PutUsersCommand, type Event } from '@aws-sdk/client-personalize-events'
import { GetRecommendationsCommand, PersonalizeRuntimeClient } from '@aws-sdk/client-personalize-runtime'
import t from 'tap'
import { arn, start } from './start.ts'

const { aws, config } = await start(t)
const client = new PersonalizeEventsClient(config)
const runtime = new PersonalizeRuntimeClient(config)
t.teardown(() => { client.destroy(); runtime.destroy() })

const click: Event = { eventType: 'click', itemId: 'item-42', sentAt: new Date() }
const put = async (eventList: Event[]): Promise<unknown> => client.send(new PutEventsCommand({ trackingId: 'tracker', sessionId: 'session', userId: 'user-1', eventList }))

t.test('learns from events at once', async t => {
  const recommend = async (): Promise<Array<string | undefined>> => {
    const { itemList = [] } = await runtime.send(new GetRecommendationsCommand({ campaignArn: arn('campaign/c'), userId: 'new-user', numResults: 5 }))
    return itemList.map(({ itemId }) => itemId)
  }
  const before = await recommend()
  await client.send(new PutEventsCommand({ trackingId: 'tracker', sessionId: 'new-session', userId: 'new-user', eventList: [click] }))
  const after = await recommend()
  t.notSame(after, before)
  t.notOk(after.includes('item-42'))
})

t.test('takes properties as the text of an object', async t => {
  await put([{ ...click, eventId: 'event-1', eventValue: 2.5, properties: { device: 'mobile' }, impression: ['item-1', 'item-2'], recommendationId: 'RID-1' }])
  const body = aws.requests.of('personalize-events').at(-1)?.body
  t.match(body, { trackingId: 'tracker', eventList: [{ sentAt: Number, properties: '{"device":"mobile"}' }] })
})

const bad: Record<string, Event[]> = {
  'no events': [],
  'too many events': Array.from({ length: 11 }, () => click),
  'properties too long': [{ ...click, properties: { text: 'x'.repeat(1024) } }],
  'properties that are no object': [{ ...click, properties: '[1]' }],
  'a reserved property': [{ ...click, properties: { userId: 'user-1' } }],
  'too many impressions': [{ ...click, impression: Array.from({ length: 26 }, (_, i) => `item-${i}`) }],
  'no type': [{ sentAt: new Date(), eventType: undefined }],
  'no time': [{ eventType: 'click', sentAt: undefined }]
}

for (const [what, events] of Object.entries(bad)) {
  t.test(`refuses events with ${what}`, async t => {
    await t.rejects(put(events), { name: 'InvalidInputException', $metadata: { httpStatusCode: 400 } })
  })
}

t.test('refuses events without a session', async t => {
  await t.rejects(client.send(new PutEventsCommand({ trackingId: 'tracker', sessionId: undefined, eventList: [click] })), { name: 'InvalidInputException' })
})

t.test('takes items, whose metadata counts from then on', async t => {
  await client.send(new PutItemsCommand({ datasetArn: arn('dataset/my-store/ITEMS'), items: [{ itemId: 'item-1', properties: { brandName: ['Alder', 'Birch'] } }] }))
  t.strictSame(await brandOf('item-1'), 'Alder|Birch')
  await t.rejects(client.send(new PutItemsCommand({ datasetArn: arn('dataset/my-store/ITEMS'), items: [] })), { name: 'InvalidInputException' })
})

t.test('takes users', async t => {
  await client.send(new PutUsersCommand({ datasetArn: arn('dataset/my-store/USERS'), users: [{ userId: 'user-1', properties: { age: 40 } }] }))
  await t.rejects(client.send(new PutUsersCommand({ datasetArn: 'dataset', users: [{ userId: 'user-1' }] })), { name: 'InvalidInputException' })
})

async function brandOf (id: string): Promise<string | undefined> {
  const metadataColumns = { ITEMS: ['BRAND_NAME'] }
  const input = { campaignArn: arn('campaign/c'), userId: 'nobody', numResults: 50, metadataColumns }
  const { itemList = [] } = await runtime.send(new GetRecommendationsCommand(input))
  return itemList.find(({ itemId }) => itemId === id)?.metadata?.['brandName']
}
