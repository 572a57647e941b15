import { CreateTableCommand, DescribeTableCommand, type TableDescription } from '@aws-sdk/client-dynamodb'
import t from 'tap'
import { loadDynamoDb } from '../../src/metadata/dynamodb/load.ts'
import type { LoadTimes, TableConfig } from '../../src/metadata/dynamodb/table.ts'
import { refusal, startDynamo, type TestDynamo } from '../support/dynalite.ts'
import type { LoadOutcome } from '../../src/metadata/store-type.ts'
import { testCatalog } from '../support/test-catalog.ts'

const table = 'PersonalizationApiItemMetadata_shop'
const load = async (config: TableConfig, times: Partial<LoadTimes> = {}): Promise<LoadOutcome> => loadDynamoDb(config, testCatalog({ a: '{}' }), 'shop', times)
const describe = async ({ client }: TestDynamo): Promise<TableDescription> => (await client.send(new DescribeTableCommand({ TableName: table }))).Table!
const provisioned = (readCapacityUnits: number, writeCapacityUnits: number): TableConfig => ({ billingMode: 'PROVISIONED', provisionedThroughput: { readCapacityUnits, writeCapacityUnits } })

t.test('a table that is missing is made, by default billed by request', async t => {
  const dynamo = await startDynamo(t)
  t.equal(await load({}), 1)
  t.match(await describe(dynamo), { TableStatus: 'ACTIVE', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }], BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' } })
})

t.test('a table is made with the capacity of the configuration, of which there is no less than one unit', async t => {
  const dynamo = await startDynamo(t)
  t.equal(await load(provisioned(5, 0)), 1)
  t.match(await describe(dynamo), { ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 1 } })
})

t.test('a table follows the configuration, and is left alone where nothing has changed', async t => {
  const dynamo = await startDynamo(t)
  for (const [config, updates] of [[provisioned(5, 2), 0], [provisioned(5, 2), 0], [provisioned(7, 2), 1], [{}, 1], [{ billingMode: 'PAY_PER_REQUEST' }, 2], [{}, 2], [provisioned(1, 1), 3]] as const) {
    t.equal(await load(config), 1)
    t.equal(dynamo.callsOf('UpdateTable').length, updates)
  }
  t.match(await describe(dynamo), { TableStatus: 'ACTIVE', BillingModeSummary: { BillingMode: 'PROVISIONED' }, ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 } })
})

t.test('without autoProvision a table is neither made nor changed', async t => {
  const dynamo = await startDynamo(t)
  await t.rejects(load({ autoProvision: false }), { message: /no DynamoDB table PersonalizationApiItemMetadata_shop/ })
  t.equal(dynamo.callsOf('CreateTable').length, 0)
  await load(provisioned(5, 5))
  t.equal(await load({ ...provisioned(9, 9), autoProvision: false }), 1)
  t.match(await describe(dynamo), { ProvisionedThroughput: { ReadCapacityUnits: 5 } })
})

t.test('a table with another key is refused', async t => {
  const { client } = await startDynamo(t)
  await client.send(new CreateTableCommand({ TableName: table, BillingMode: 'PAY_PER_REQUEST', KeySchema: [{ AttributeName: 'name', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'name', AttributeType: 'S' }] }))
  await t.rejects(load({}), { message: /another key/ })
  await t.rejects(load({ autoProvision: false }), { message: /another key/ })
})

t.test('a table that another instance makes just now is waited for', async t => {
  const dynamo = await startDynamo(t)
  let looks = 0
  dynamo.intercept(async ({ operation }, pass) => {
    if (operation === 'CreateTable') {
      await pass()
      return refusal('ResourceInUseException')
    }
    const reply = await pass()
    if (operation !== 'DescribeTable' || ++looks > 3) return reply
    return reply.status === 200 ? { ...reply, body: { Table: { ...(reply.body as { Table: object }).Table, TableStatus: 'CREATING' } } } : reply
  })
  t.equal(await load({}, { tablePoll: 5 }), 1)
  t.ok(looks > 3)
})

t.test('a table that does not get ready ends the load', async t => {
  const dynamo = await startDynamo(t)
  dynamo.intercept(async ({ operation }, pass) => {
    const reply = await pass()
    return operation === 'DescribeTable' && reply.status === 200 ? { ...reply, body: { Table: { TableStatus: 'CREATING', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] } } } : reply
  })
  await t.rejects(load({}, { table: 30, tablePoll: 5 }), { message: /not ready after 0.03 s; it is CREATING/ })
})

t.test('what DynamoDB says to a table that it does not make is told', async t => {
  const dynamo = await startDynamo(t)
  dynamo.intercept(async ({ operation }, pass) => operation === 'CreateTable' ? refusal('LimitExceededException') : pass())
  await t.rejects(load({}), { name: 'LimitExceededException' })
})
