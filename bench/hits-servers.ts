/** The servers that bench/hits.ts compares. Run by itself, this file is one of its own servers: `hits-servers.js bare|by-url|plain PORT`. */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import Fastify, { LogController } from 'fastify'
import { pino, type Logger } from 'pino'
import { packagedFile } from '../src/settings.ts'
import { freePort } from './free-port.ts'
import { answering, installed, plainly, textOf, type Processes, type StartOptions } from './hits-processes.ts'
import type { ChildProcess } from 'node:child_process'

export interface Server {
  name: string
  port: number
  /** Asked for with each request. */
  acceptEncoding?: string
}

export type Log = 'all' | 'errors'

/** An answer that the gateway gave from its memory. */
export interface Hit {
  headers: Record<string, string>
  body: string
}

const namespace = 'bench'
const recommender = 'remote'

export const pathOf = (user: string): string => `/recommend-items/${namespace}/${recommender}/${user}`

/** Headers that differ from one answer to the next, or belong to the connection. */
const perAnswer: ReadonlySet<string> = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding', 'x-request-id'])

if (process.argv[1] === import.meta.filename) {
  const [, , kind, port] = process.argv
  const hit = JSON.parse(process.env['HIT']!) as Hit
  const log = process.env['ACCESS_LOG'] as Log
  await (kind === 'plain' ? servePlain(hit, Number(port), log) : serveBare(hit, Number(port), log, kind === 'by-url'))
}

/** Opens a log like the gateway's. */
function openLog (): Logger {
  const logger = pino({ level: 'info' }, pino.destination({ sync: false, minLength: 8192 }))
  setInterval(() => { logger.flush() }, 200).unref()
  return logger
}

/**
 * Runs Fastify with only the parts that every server of the same answer needs.
 * @param byUrl whether each URL has its own bytes, which are looked up by the URL
 */
async function serveBare ({ headers, body }: Hit, port: number, log: Log, byUrl: boolean): Promise<void> {
  const bytes = Buffer.from(body)
  const bytesOf = new Map<string, Buffer>()
  const app = Fastify({
    loggerInstance: openLog(),
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    keepAliveTimeout: 72_000
  })
  // The same logging as the gateway: errors get a line, or all requests do.
  app.addHook('onResponse', (request, reply, done) => {
    if (log === 'all' || reply.statusCode >= 400) {
      request.log.info({
        method: request.method,
        route: request.routeOptions.url ?? 'none',
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 1000) / 1000
      }, 'request')
    }
    done()
  })
  app.get('/recommend-items/:namespace/:recommender/:userId', (request, reply) => {
    let own = byUrl ? bytesOf.get(request.raw.url!) : bytes
    if (own === undefined) bytesOf.set(request.raw.url!, own = Buffer.from(body))
    reply.headers(headers).header('x-request-id', request.id).send(own)
  })
  await app.listen({ port, host: '127.0.0.1' })
}

/** Runs a server of Node.js alone: no router, no framework. */
async function servePlain ({ headers, body }: Hit, port: number, log: Log): Promise<void> {
  const bytes = Buffer.from(body)
  const logger = openLog()
  const server = createServer({ keepAliveTimeout: 72_000 }, (request, response) => {
    const started = performance.now()
    const reqId = randomUUID()
    response.writeHead(200, { ...headers, 'content-length': bytes.length, 'x-request-id': reqId })
    response.end(bytes)
    if (log === 'all') {
      response.once('finish', () => {
        logger.info({ reqId, method: request.method, route: 'plain', status: 200, ms: Math.round((performance.now() - started) * 1000) / 1000 }, 'request')
      })
    }
  })
  server.listen(port, '127.0.0.1')
}

/** Starts a recommender in the process of the benchmark. It is called once for each user, before the measurements. Its answer is long enough to be encoded. */
export async function startOrigin (): Promise<{ port: number, close: () => void }> {
  const itemList = Array.from({ length: 25 }, (_, i) => ({ itemId: `outdoor-item-${1000 + i * 37}`, score: Math.round(1e6 / (i + 1)) / 1e6 }))
  const answer = JSON.stringify({ itemList })
  const port = await freePort()
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(answer)
  }).listen(port, '127.0.0.1')
  return {
    port,
    close () {
      server.close()
      server.closeAllConnections()
    }
  }
}

export async function startGateway (processes: Processes, originPort: number, log: Log): Promise<Server> {
  const port = await freePort()
  const config = {
    cacheControl: { userSpecified: { maxAge: 10, directives: 'private' }, server: { ttl: 300 } },
    namespaces: {
      [namespace]: {
        recommenders: { 'recommend-items': { [recommender]: { variations: { http: { type: 'http', url: `http://127.0.0.1:${originPort}/{userId}?n={numResults}` } } } } }
      }
    }
  }
  const file = join(processes.folder, 'config.json')
  writeFileSync(file, JSON.stringify(config))
  const env = { CONFIG_FILE: file, DATA_DIR: processes.folder, PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'info', ACCESS_LOG: log }
  const child = processes.start(process.execPath, [packagedFile('dist/src/server.js')], { on: 'server', env })
  await answering(`http://127.0.0.1:${port}/health/ready`, child)
  return { name: 'gateway', port }
}

/** Returns an answer of the gateway from its memory, which the other servers repeat. @throws if the answer is not from memory */
export async function readHit (port: number): Promise<Hit> {
  const url = `http://127.0.0.1:${port}${pathOf('user-0')}`
  await (await fetch(url, plainly)).text()
  const response = await fetch(url, plainly)
  const status = response.headers.get('cache-status')
  if (status?.startsWith('gateway-memory; hit') !== true) throw new Error(`the gateway answered ${response.status} and ${status}, not from its memory: ${await response.text()}`)
  return { headers: Object.fromEntries([...response.headers].filter(([name]) => !perAnswer.has(name))), body: await response.text() }
}

export async function startOwn (processes: Processes, kind: 'bare' | 'by-url' | 'plain', hit: Hit, log: Log): Promise<Server> {
  const port = await freePort()
  const env = { HIT: JSON.stringify(hit), ACCESS_LOG: log }
  const child = processes.start(process.execPath, [packagedFile('dist/bench/hits-servers.js'), kind, String(port)], { on: 'server', env })
  await answering(`http://127.0.0.1:${port}${pathOf('user-0')}`, child)
  return { name: { bare: 'bare Fastify', 'by-url': 'bare Fastify, by URL', plain: 'node:http' }[kind], port }
}

/** Starts nginx as a cache in front of the gateway. It has to ignore `Cache-Control`, since it does not cache private answers. */
export async function startNginx (processes: Processes, behind: number, log: Log): Promise<Server | undefined> {
  const port = await freePort()
  const file = join(processes.folder, 'nginx.conf')
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${processes.folder}/nginx-${name};`).join('\n  ')
  writeFileSync(file, `
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
daemon off;
pid ${processes.folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log ${log === 'all' ? '/dev/null' : 'off'};
  ${paths}
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  keepalive_timeout 72s;
  open_file_cache max=4000;
  proxy_cache_path ${processes.folder}/nginx-cache keys_zone=hits:10m inactive=1h;
  upstream gateway { server 127.0.0.1:${behind}; keepalive 4; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://gateway;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_ignore_headers Cache-Control Expires Vary Set-Cookie;
      proxy_cache hits;
      proxy_cache_valid 200 1h;
    }
  }
}
`)
  return startCache(processes, 'nginx proxy_cache', port, 'nginx', ['-p', processes.folder, '-e', 'stderr', '-c', file], {})
}

/** Starts Varnish as a cache in front of the gateway. It needs a rule of its own, since it does not cache private answers. */
export async function startVarnish (processes: Processes, behind: number): Promise<Server | undefined> {
  const port = await freePort()
  const file = join(processes.folder, 'varnish.vcl')
  writeFileSync(file, `
vcl 4.1;
backend gateway { .host = "127.0.0.1"; .port = "${behind}"; }
sub vcl_recv { return (hash); }
sub vcl_backend_response {
  set beresp.ttl = 1h;
  return (deliver);
}
`)
  const parameters = ['thread_pools=1', 'thread_pool_min=80', 'thread_pool_max=200'].flatMap(parameter => ['-p', parameter])
  const args = ['-j', 'none', '-F', '-n', join(processes.folder, 'varnish'), '-a', `127.0.0.1:${port}`, '-f', file, '-s', 'malloc,64m', ...parameters]
  return startCache(processes, 'Varnish', port, 'varnishd', args, { HOME: processes.folder })
}

async function startCache (processes: Processes, name: string, port: number, command: string, args: string[], env: NonNullable<StartOptions['env']>): Promise<Server | undefined> {
  if (!installed(command)) {
    console.log(`${name} is left out: there is no ${command} here`)
    return undefined
  }
  const child: ChildProcess = processes.start(command, args, { on: 'server', env, complaints: 'pipe' })
  const complaints = textOf(child.stderr!)
  try {
    await answering(`http://127.0.0.1:${port}${pathOf('user-0')}`, child)
    await checkKept(port)
    return { name, port }
  } catch (error) {
    console.log(`${name} is left out: ${String(error)} ${complaints().trim()}`)
    await processes.stop(child)
    return undefined
  }
}

/** Checks that a server caches: a cached answer repeats the id of the request for which it was made. */
async function checkKept (port: number): Promise<void> {
  const ids = await Promise.all([1, 2].map(async () => {
    const response = await fetch(`http://127.0.0.1:${port}${pathOf('user-0')}`, plainly)
    await response.text()
    return response.headers.get('x-request-id')
  }))
  if (ids[0] !== ids[1]) throw new Error('it does not keep the answer')
}

/** Checks that a server does the same work as the gateway. @throws if its answer is another one than the gateway's */
export async function checkSame ({ name, port }: Server, hit: Hit): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${pathOf('user-0')}`, plainly)
  const body = await response.text()
  const names = [...response.headers.keys()].filter(header => !perAnswer.has(header)).sort()
  const expected = Object.keys(hit.headers).sort()
  if (response.status !== 200 || body !== hit.body || names.join() !== expected.join() || !response.headers.has('x-request-id')) {
    throw new Error(`${name} answers ${response.status} with ${body.length} bytes and ${names.join(', ')}; expected ${hit.body.length} bytes and ${expected.join(', ')}`)
  }
}
