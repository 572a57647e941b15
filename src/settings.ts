import Type, { type Static } from 'typebox'
import type { AuthenticationOptions } from '../plugins/authentication.ts'
import { fileSource } from './config/file-source.ts'
import { isZone } from './context/clock.ts'
import { limitMistakes, limitSettings } from './limits/settings.ts'
import { fixedKeys } from './security/key-sources.ts'
import { secretKeys } from './security/secret-keys.ts'
import { authenticationMistakes, AuthenticationSettingsSchema, jwtOptionsOf, schemesOf } from './security/settings.ts'
import { basePathFormat, isBasePath } from './base/base-path.ts'
import { UserError } from './base/user-error.ts'
import { checker, type Finding } from './base/validation.ts'
import { defaultItemTables, isKeyName, isTablePrefix, keyFormat, prefixFormat, type ItemTables } from './metadata/dynamodb/item-table.ts'
import { readWebhookSecrets, webhookSecretsFormat, type WebhookSecrets } from './connections/webhook-secrets.ts'

export { packagedFile, sampleConfigFile } from './base/packaged-file.ts'

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']
const accessLogs = ['all', 'sample', 'errors'] as const

/** The process settings, by the names of their environment variables. */
export const SettingsSchema = Type.Object({
  PORT: Type.Integer({ minimum: 0, maximum: 65535, default: 8080 }),
  HOST: Type.String({ minLength: 1, default: '0.0.0.0' }),
  BASE_PATH: Type.String({ default: '', description: 'the path below which all routes are, such as /prod; none where absent' }),
  LOG_LEVEL: Type.Enum(levels, { default: 'info' }),
  ACCESS_LOG: Type.Enum(accessLogs, { default: 'all', description: 'which requests get a line in the log: all, one in a hundred and all errors, or errors' }),
  CONFIG_FILE: Type.Optional(Type.String({ minLength: 1, description: 'the configuration document; the sample store where absent' })),
  DATA_DIR: Type.String({ minLength: 1, default: './data' }),
  REDIS_URL: Type.Optional(Type.String({ description: 'the tier of the cache that instances share; memory only where absent' })),
  CACHE_MAX_BYTES: Type.Integer({ minimum: 1024 * 1024, maximum: 2 ** 40, default: 64 * 1024 * 1024, description: 'what the cache may hold in memory' }),
  ...AuthenticationSettingsSchema.properties,
  RECOMMENDATION_ID_SECRET: Type.Optional(Type.String({ minLength: 32, maxLength: 256, description: 'signs recommendation ids; where absent, instances share a random one by Redis, or else keep one in DATA_DIR' })),
  TIME_ZONE: Type.String({ default: 'UTC', description: 'the zone of users whose zone no header tells: an IANA name, such as Europe/Berlin' }),
  STAGING_BUCKET: Type.Optional(Type.String({ pattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$', description: 'the S3 bucket that item metadata is imported from; none where absent' })),
  ItemsTableNamePrefix: Type.String({ default: defaultItemTables.prefix, description: 'what precedes the namespace in the name of its DynamoDB table of items' }),
  ItemsTablePrimaryKeyFieldName: Type.String({ default: defaultItemTables.key, description: 'the key of these tables, and the field of a catalog that holds the id of an item' }),
  WEBHOOK_SECRETS: Type.Optional(Type.String({ maxLength: 65_536, description: 'what webhooks of event targets are signed with: name=whsec_…, several with commas between them; none where absent' })),
  EVIDENTLY_ENDPOINT: Type.Optional(Type.String({ maxLength: 2048, description: 'the http(s) URL that evaluates experiments of the method evidently; where absent, the gateway evaluates them' })),
  APPCONFIG_AGENT_URL: Type.String({ maxLength: 2048, default: 'http://localhost:2772', description: 'the http(s) URL of the AppConfig agent, which evaluates experiments of the method appconfig' }),
  ...limitSettings,
  WORKERS: Type.Integer({ minimum: 1, maximum: 64, default: 1, description: 'processes that serve, for a machine with several cores' }),
  SHUTDOWN_DRAIN: Type.Number({ minimum: 0, maximum: 20, default: 0, description: 'seconds to serve on after SIGTERM' })
})

export type Settings = Static<typeof SettingsSchema>

const check = checker(SettingsSchema)

const defaults = Object.fromEntries(Object.entries(SettingsSchema.properties).flatMap(([name, schema]) => 'default' in schema ? [[name, schema.default]] : []))

const isDecimal = /^\d+(\.\d+)?$/
const numbers = Object.fromEntries(Object.entries(SettingsSchema.properties).filter(([, schema]) => 'type' in schema && ['integer', 'number'].includes(schema.type)))

export class SettingsError extends UserError {
  readonly findings: Finding[]

  constructor (findings: Finding[]) {
    super(findings.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`).join('\n'))
    this.name = 'SettingsError'
    this.findings = findings
  }
}

/**
 * Reads the settings from the environment, which no other module reads. An empty variable counts as absent.
 * @throws SettingsError that names every variable with a wrong value
 */
export function readSettings (environment: NodeJS.ProcessEnv = process.env): Settings {
  const given = Object.keys(SettingsSchema.properties)
    .map(name => [name, environment[name]] as const)
    .filter(([, text]) => text !== undefined && text !== '')
    .map(([name, text]) => [name, isDecimal.test(text!) && name in numbers ? Number(text) : text] as const)
  const { value, findings } = check({ ...defaults, ...Object.fromEntries(given) })
  if (value.REDIS_URL !== undefined && !isRedisUrl(String(value.REDIS_URL))) {
    findings.push({ pointer: '/REDIS_URL', message: 'expected redis://[user:password@]host[:port][/database], or rediss://; special characters in user and password percent-encoded' })
  }
  if (value.WEBHOOK_SECRETS !== undefined && readWebhookSecrets(String(value.WEBHOOK_SECRETS)) === undefined) {
    findings.push({ pointer: '/WEBHOOK_SECRETS', message: webhookSecretsFormat })
  }
  for (const name of ['EVIDENTLY_ENDPOINT', 'APPCONFIG_AGENT_URL'] as const) {
    if (value[name] !== undefined && !isServiceUrl(String(value[name]))) findings.push({ pointer: `/${name}`, message: 'expected http://host[:port][/path], or https://, without user, query and fragment' })
  }
  if (value.BASE_PATH !== '' && !isBasePath(String(value.BASE_PATH))) findings.push({ pointer: '/BASE_PATH', message: basePathFormat })
  if (!isTablePrefix(String(value.ItemsTableNamePrefix))) findings.push({ pointer: '/ItemsTableNamePrefix', message: prefixFormat })
  if (!isKeyName(String(value.ItemsTablePrimaryKeyFieldName))) findings.push({ pointer: '/ItemsTablePrimaryKeyFieldName', message: keyFormat })
  if (!isZone(String(value.TIME_ZONE))) findings.push({ pointer: '/TIME_ZONE', message: 'expected the name of a time zone, such as Europe/Berlin' })
  if (findings.length === 0) findings.push(...authenticationMistakes(value), ...limitMistakes(value))
  if (findings.length > 0) throw new SettingsError(findings)
  return value
}

/** Returns the webhook secrets of valid settings. */
export function webhookSecretsOf ({ WEBHOOK_SECRETS = '' }: Settings): WebhookSecrets {
  return readWebhookSecrets(WEBHOOK_SECRETS)!
}

/** Returns the options of authentication of valid settings, without the admin key. */
export function authenticationOf (settings: Settings): Omit<AuthenticationOptions, 'adminKey'> {
  const { API_KEYS, API_KEYS_FILE, API_KEYS_SECRET_ID, API_KEYS_POLL_INTERVAL, OPEN_WRITES, DOCS_ACCESS, METRICS_ACCESS } = settings
  return {
    schemes: schemesOf(settings),
    keySources: [
      ...(API_KEYS === undefined ? [] : [fixedKeys('API_KEYS', API_KEYS)]),
      ...(API_KEYS_FILE === undefined ? [] : [fileSource(API_KEYS_FILE)]),
      ...(API_KEYS_SECRET_ID === undefined ? [] : [secretKeys(API_KEYS_SECRET_ID, API_KEYS_POLL_INTERVAL * 1000)])
    ],
    jwt: jwtOptionsOf(settings),
    openWrites: OPEN_WRITES === 'true',
    docs: DOCS_ACCESS,
    metrics: METRICS_ACCESS
  }
}

/** Returns the names of the tables of items that settings define. */
export function itemTablesOf ({ ItemsTableNamePrefix: prefix, ItemsTablePrimaryKeyFieldName: key }: Settings): ItemTables {
  return { prefix, key }
}

/** Sets AWS_REGION to AWS_DEFAULT_REGION if it is missing. The AWS command line reads both, the SDK for JavaScript only AWS_REGION. */
export function adoptDefaultRegion (environment: NodeJS.ProcessEnv = process.env): void {
  const { AWS_REGION: region, AWS_DEFAULT_REGION: otherwise } = environment
  if (!region && otherwise) environment['AWS_REGION'] = otherwise
}

/** Returns whether the variables of the AWS SDK name another S3 endpoint than Amazon's. */
export function hasOwnS3 (environment: NodeJS.ProcessEnv = process.env): boolean {
  return Boolean(environment['AWS_ENDPOINT_URL_S3'] || environment['AWS_ENDPOINT_URL'])
}

/** Returns only whether the URL is valid: an error message must not quote it, since it may hold a password. */
function isRedisUrl (text: string): boolean {
  try {
    const { protocol, hostname, pathname, hash, username, password } = new URL(text)
    decodeURIComponent(username + password)
    return /^rediss?:$/.test(protocol) && hostname !== '' && /^\/?\d{0,2}$/.test(pathname) && hash === ''
  } catch {
    return false
  }
}

/** Returns whether a text is the URL of a service over HTTP. */
function isServiceUrl (text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password, search, hash } = new URL(text)
  return /^https?:$/.test(protocol) && hostname !== '' && username + password + search + hash === ''
}
