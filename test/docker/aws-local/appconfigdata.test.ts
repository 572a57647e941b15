import { AppConfigDataClient, GetLatestConfigurationCommand, StartConfigurationSessionCommand } from '@aws-sdk/client-appconfigdata'
import t from 'tap'
import { start } from './start.ts'

let time = Date.UTC(2026, 10, 1)
const { aws, config } = await start(t, { now: () => time, pollInterval: 30 })
const client = new AppConfigDataClient(config)
t.teardown(() => client.destroy())

async function open (ConfigurationProfileIdentifier: string, RequiredMinimumPollIntervalInSeconds?: number): Promise<string> {
  const { InitialConfigurationToken } = await client.send(new StartConfigurationSessionCommand({
    ApplicationIdentifier: 'gateway',
    EnvironmentIdentifier: 'test',
    ConfigurationProfileIdentifier,
    RequiredMinimumPollIntervalInSeconds
  }))
  return InitialConfigurationToken!
}

interface Polled { next: string, text: string, label: string | undefined, interval: number | undefined }

async function poll (ConfigurationToken: string): Promise<Polled> {
  const answer = await client.send(new GetLatestConfigurationCommand({ ConfigurationToken }))
  const text = answer.Configuration?.transformToString() ?? ''
  return { next: answer.NextPollConfigurationToken!, text, label: answer.VersionLabel, interval: answer.NextPollIntervalInSeconds }
}

const refusal = (Problem: string): { name: string, [more: string]: unknown } => ({ name: 'BadRequestException', Reason: 'InvalidParameters', Details: { InvalidParameters: { ConfigurationToken: { Problem } } } })

t.test('gives a configuration once for each version', async t => {
  aws.configurations.deploy('gateway', 'test', 'main', '{"version":"1"}', { versionLabel: 'one' })
  const first = await poll(await open('main'))
  t.match(first, { text: '{"version":"1"}', label: 'one', interval: 30 })
  const unchanged = await poll(first.next)
  t.match(unchanged, { text: '', label: undefined })
  aws.configurations.deploy('gateway', 'test', 'main', '{"version":"2"}')
  t.match(await poll(unchanged.next), { text: '{"version":"2"}', label: undefined })
})

t.test('takes a token once', async t => {
  aws.configurations.deploy('gateway', 'test', 'once', '{}')
  const token = await open('once')
  await poll(token)
  await t.rejects(poll(token), refusal('Expired'))
  await t.rejects(poll('other'), refusal('Corrupted'))
})

t.test('takes a token for a day', async t => {
  aws.configurations.deploy('gateway', 'test', 'day', '{}')
  const token = await open('day')
  time += 24 * 60 * 60 * 1000 + 1
  await t.rejects(poll(token), refusal('Expired'))
})

t.test('holds a session to its own minimum', async t => {
  aws.configurations.deploy('gateway', 'test', 'slow', '{}')
  const { next, interval } = await poll(await open('slow', 60))
  t.equal(interval, 60)
  await t.rejects(poll(next), refusal('PollIntervalNotSatisfied'))
  time += 60_000
  await poll(next)
})

t.test('knows only what was deployed', async t => {
  await t.rejects(open('nothing'), { name: 'ResourceNotFoundException', ResourceType: 'Configuration', $metadata: { httpStatusCode: 404 } })
  await t.rejects(open('main', 1), { name: 'BadRequestException' })
})
