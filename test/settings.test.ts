import { existsSync } from 'node:fs'
import t from 'tap'
import { authenticationOf, packagedFile, readSettings, sampleConfigFile, SettingsError, webhookSecretsOf } from '../src/settings.ts'

function refusal (environment: NodeJS.ProcessEnv): SettingsError {
  try {
    readSettings(environment)
  } catch (error) {
    if (error instanceof SettingsError) return error
    throw error
  }
  throw new Error('was not refused')
}

t.test('an empty environment gives the defaults', async t => {
  t.match(readSettings({}), { PORT: 8080, HOST: '0.0.0.0', LOG_LEVEL: 'info', DATA_DIR: './data', SHUTDOWN_DRAIN: 0 })
  t.equal(readSettings({}).CONFIG_FILE, undefined)
})

t.test('variables are read as what they are', async t => {
  t.match(readSettings({ PORT: '0', HOST: '::', LOG_LEVEL: 'debug', CONFIG_FILE: 'c.json', DATA_DIR: '/d', SHUTDOWN_DRAIN: '2.5' }),
    { PORT: 0, HOST: '::', LOG_LEVEL: 'debug', CONFIG_FILE: 'c.json', DATA_DIR: '/d', SHUTDOWN_DRAIN: 2.5 })
  t.equal(readSettings({ DATA_DIR: '7' }).DATA_DIR, '7', 'text stays text')
})

t.test('an empty variable counts as absent', async t => {
  t.strictSame(readSettings({ PORT: '', HOST: '', LOG_LEVEL: '', CONFIG_FILE: '', DATA_DIR: '', SHUTDOWN_DRAIN: '' }), readSettings({}))
})

t.test('what else is in the environment is left alone', async t => {
  t.strictSame(readSettings({ PATH: '/bin', AWS_REGION: 'eu-west-1' }), readSettings({}))
})

t.test('all variables that are wrong are told at once, by their names', async t => {
  const error = refusal({ PORT: 'http', LOG_LEVEL: 'loud', SHUTDOWN_DRAIN: '99', HOST: 'ok' })
  t.strictSame(error.findings.map(({ pointer }) => pointer).sort(), ['/LOG_LEVEL', '/PORT', '/SHUTDOWN_DRAIN'])
  t.match(error.message, /^PORT expected an integer from 0 to 65535$/m)
  t.match(error.message, /^LOG_LEVEL expected one of "fatal".*"silent"$/m)
  t.match(error.message, /^SHUTDOWN_DRAIN expected a number from 0 to 20$/m)
})

for (const PORT of ['-1', '65536', '80.5', 'true', '8080x', 'NaN', '1,2', 'null']) {
  t.test(`"${PORT}" is no port`, async t => {
    t.match(refusal({ PORT }).message, /^PORT /)
  })
}

for (const SHUTDOWN_DRAIN of ['-1', '21', 'false', '5s', 'Infinity']) {
  t.test(`"${SHUTDOWN_DRAIN}" is no number of seconds to drain`, async t => {
    t.match(refusal({ SHUTDOWN_DRAIN }).message, /^SHUTDOWN_DRAIN /)
  })
}

t.test('an address of Redis is checked without being told', async t => {
  for (const REDIS_URL of ['redis://localhost', 'redis://:p%23w@host:6380/15', 'rediss://user:pw@host', 'redis://[::1]:6379/0']) {
    t.equal(readSettings({ REDIS_URL }).REDIS_URL, REDIS_URL)
  }
  for (const wrong of ['http://:SECRET@host', 'redis://:SECRET@host:99999', 'redis://:SEC#RET@host', 'redis://:SECRET@[::1', 'redis://:SECRET@host:port', 'redis://:SECRET%ZZ@host', 'redis://:SECRET@host/abc', 'redis://:SECRET@host/100', 'SECRET', 'redis://']) {
    try {
      readSettings({ REDIS_URL: wrong })
      t.fail(wrong)
    } catch (error) {
      t.match(error, { name: 'SettingsError', message: /^REDIS_URL expected redis:/ })
      t.notMatch(String((error as Error).stack), 'SEC')
    }
  }
})

t.test('a staging bucket is checked by what S3 allows as a name', async t => {
  for (const STAGING_BUCKET of ['items', 'my.company-2', '123']) t.equal(readSettings({ STAGING_BUCKET }).STAGING_BUCKET, STAGING_BUCKET)
  for (const STAGING_BUCKET of ['s3://items', 'Items', 'it', '-items', 'items/import', 'x'.repeat(64)]) t.match(refusal({ STAGING_BUCKET }).message, /^STAGING_BUCKET expected a string matching/)
  t.equal(readSettings({ STAGING_BUCKET: '' }).STAGING_BUCKET, undefined)
})

t.test('the zone of users without one has to be a zone, and is UTC where nothing is said', async t => {
  t.equal(readSettings({}).TIME_ZONE, 'UTC')
  for (const TIME_ZONE of ['Europe/Berlin', 'America/Argentina/Buenos_Aires', 'UTC']) t.equal(readSettings({ TIME_ZONE }).TIME_ZONE, TIME_ZONE)
  for (const TIME_ZONE of ['Mars/Olympus', 'Berlin', '25', ' Europe/Berlin']) {
    t.strictSame(refusal({ TIME_ZONE }).findings, [{ pointer: '/TIME_ZONE', message: 'expected the name of a time zone, such as Europe/Berlin' }])
  }
})

t.test('the key of administrators is one that a header carries, long enough not to be guessed, and is not told', async t => {
  t.equal(readSettings({}).ADMIN_KEY, undefined)
  t.equal(readSettings({ ADMIN_KEY: '' }).ADMIN_KEY, undefined)
  for (const ADMIN_KEY of ['!'.repeat(16), 'k~'.repeat(128), '1234567890123456']) t.equal(readSettings({ ADMIN_KEY }).ADMIN_KEY, ADMIN_KEY)
  for (const ADMIN_KEY of ['SECRET', 'SECRET'.repeat(43), 'SECRET with spaces', 'SECRET-with-an-ü-in', 'SECRET-with-a-tab\t']) {
    const error = refusal({ ADMIN_KEY })
    t.match(error.message, /^ADMIN_KEY expected a string/)
    t.notMatch(String(error.stack), 'SECRET')
  }
})

t.test('secrets of webhooks have names, are long enough, and are not told', async t => {
  const [one, other] = [Buffer.alloc(24, 'a'), Buffer.alloc(64, 'b')]
  const secret = (key: Buffer): string => `whsec_${key.toString('base64')}`
  t.strictSame(webhookSecretsOf(readSettings({})), new Map())
  t.strictSame(webhookSecretsOf(readSettings({ WEBHOOK_SECRETS: '' })), new Map())
  t.strictSame(webhookSecretsOf(readSettings({ WEBHOOK_SECRETS: `one=${secret(one)}` })), new Map([['one', one]]))
  t.strictSame(webhookSecretsOf(readSettings({ WEBHOOK_SECRETS: `one=${secret(one)}, the_other-2=${secret(other)}` })), new Map([['one', one], ['the_other-2', other]]))
  const good = `one=${secret(one)}`
  const wrong = [
    secret(one), `=${secret(one)}`, `a b=${secret(one)}`, `one=${one.toString('base64')}`, `one=${secret(Buffer.alloc(23, 'a'))}`, `one=${secret(Buffer.alloc(65, 'a'))}`,
    'one=whsec_SECRET with spaces and so on', `one=whsec_${'_'.repeat(40)}`, `${good},${good}`, `${good},`, `,${good}`, `${good};two=${secret(other)}`, `{"one":"${secret(one)}"}`, `${good}A`, `one=${'x'.repeat(70_000)}`
  ]
  for (const WEBHOOK_SECRETS of wrong) {
    const error = refusal({ WEBHOOK_SECRETS })
    t.match(error.message, /^WEBHOOK_SECRETS expected/, WEBHOOK_SECRETS.slice(0, 60))
    t.notMatch(String(error.stack), /YWFh|SECRET with|xxx/)
  }
})

t.test('the systems that evaluate experiments have URLs over HTTP', async t => {
  t.match(readSettings({}), { APPCONFIG_AGENT_URL: 'http://localhost:2772' })
  t.equal(readSettings({}).EVIDENTLY_ENDPOINT, undefined)
  for (const name of ['EVIDENTLY_ENDPOINT', 'APPCONFIG_AGENT_URL'] as const) {
    for (const url of ['http://localhost:4566', 'https://evidently.example.com/', 'http://[::1]:80/a/b']) t.equal(readSettings({ [name]: url })[name], url)
    for (const wrong of ['localhost:4566', 'ftp://SECRET', 'http://', 'http://user:SECRET@host', 'http://host?SECRET=1', 'http://host#SECRET', 'SECRET']) {
      const error = refusal({ [name]: wrong })
      t.match(error.message, new RegExp(`^${name} expected http://`), wrong)
      t.notMatch(String(error.stack), 'SECRET')
    }
  }
})

t.test('the files of the package are found', async t => {
  t.ok(existsSync(sampleConfigFile))
  t.ok(existsSync(packagedFile('package.json')))
})

t.test('settings of authentication that do not fit together are told', async t => {
  const jwt = { AUTH_SCHEME: 'jwt', JWT_ISSUER: 'https://issuer.example/', JWT_AUDIENCE: 'a, b' }
  t.match(authenticationOf(readSettings({})), { schemes: [], keySources: [], jwt: undefined, openWrites: false, docs: 'public', metrics: 'private' })
  t.match(authenticationOf(readSettings({ ...jwt, AUTH_SCHEME: 'api-key, jwt', API_KEYS: 'x', OPEN_WRITES: 'true', JWT_DEFAULT_SCOPES: 'none' })), {
    schemes: ['api-key', 'jwt'],
    keySources: [{ name: 'API_KEYS' }],
    openWrites: true,
    jwt: { issuer: 'https://issuer.example/', jwksUri: 'https://issuer.example/.well-known/jwks.json', audiences: ['a', 'b'], defaultScopes: [], userClaim: undefined }
  })
  for (const uri of ['http://localhost:1/k', 'http://127.0.0.1/k', 'http://[::1]:8080/k', 'https://keys.example/k']) t.doesNotThrow(() => readSettings({ ...jwt, JWT_JWKS_URI: uri }), uri)
  for (const uri of ['http://keys.example/k', 'http://127.0.0.1.example/k', 'http://localhost.example/', 'file:///etc/passwd', 'http://10.0.0.1/', 'https://user:password@keys.example/', 'nonsense']) t.match(refusal({ ...jwt, JWT_JWKS_URI: uri }).message, /^JWT_JWKS_URI /, uri)
  t.match(refusal({ ...jwt, JWT_ISSUER: 'http://issuer.example' }).message, /^JWT_ISSUER /)
  t.strictSame(refusal({ AUTH_SCHEME: 'api-key,jwt' }).findings.map(({ pointer }) => pointer), ['/AUTH_SCHEME', '/JWT_ISSUER', '/JWT_AUDIENCE'])
  for (const AUTH_SCHEME of ['basic', 'none,jwt', 'jwt;api-key', 'API-KEY', ',']) t.match(refusal({ AUTH_SCHEME }).message, /^AUTH_SCHEME /, AUTH_SCHEME)
  for (const [name, value] of [['OPEN_WRITES', 'yes'], ['DOCS_ACCESS', 'open'], ['METRICS_ACCESS', 'none'], ['JWT_DEFAULT_SCOPES', 'root'], ['API_KEYS_POLL_INTERVAL', '0']] as const) t.match(refusal({ [name]: value }).message, new RegExp(`^${name} `))
})
