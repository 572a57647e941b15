/**
 * Does a restart fail a request?
 *   node dist/bench/restarts.js [--times 10] [--rate 1000] [--drain 5]
 * Two gateways serve behind nginx, as docs/limits.md configures it. One of them is ended by SIGTERM and started again, several times, while
 * lists and events are requested at a fixed rate. Promised: no request fails. The exit code is 1 if one does.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { packagedFile } from '../src/settings.ts'
import { freePort } from './free-port.ts'
import { answering, openProcesses, type Processes } from './hits-processes.ts'

const { values } = parseArgs({ options: { times: { type: 'string', default: '10' }, rate: { type: 'string', default: '1000' }, drain: { type: 'string', default: '5' } } })
const nginx = ['/usr/sbin/nginx', '/usr/bin/nginx'].find(file => existsSync(file))
if (nginx === undefined) {
  console.error('this benchmark needs nginx: apt-get install nginx-light')
  process.exit(1)
}

const processes = openProcesses('restarts')
try {
  const failed = await main(processes, nginx)
  if (failed > 0) process.exitCode = 1
} finally {
  await processes.close()
}

async function main (processes: Processes, nginx: string): Promise<number> {
  const file = join(processes.folder, 'config.json')
  writeFileSync(file, JSON.stringify({
    cacheControl: { server: { ttl: 1 } },
    namespaces: { shop: { recommenders: { 'recommend-items': { home: { variations: { sessions: { type: 'embedded' } } } } }, eventTargets: [{ type: 'embedded' }] } }
  }))
  const ports = [await freePort(), await freePort()]
  const start = async (place: number): Promise<ChildProcess> => {
    const dataDir = join(processes.folder, `data-${place}`)
    mkdirSync(dataDir, { recursive: true })
    const env = { CONFIG_FILE: file, DATA_DIR: dataDir, PORT: String(ports[place]), HOST: '127.0.0.1', LOG_LEVEL: 'warn', SHUTDOWN_DRAIN: values.drain }
    const child = processes.start(process.execPath, [packagedFile('dist/src/server.js')], { env })
    await answering(`http://127.0.0.1:${ports[place]}/health/ready`, child)
    return child
  }
  const [first] = await Promise.all([start(0), start(1)])
  let restarted = first

  const port = await freePort()
  await startProxy(processes, nginx, port, ports)
  const load = startLoad(port, Number(values.rate))
  for (let i = 0; i < Number(values.times); i++) {
    await sleep(500)
    const ended = once(restarted, 'exit')
    restarted.kill('SIGTERM')
    await ended
    restarted = await start(0)
  }
  const { answered, failed, reasons } = await load.stop()
  console.log(`${values.times} restarts: ${answered} requests answered, ${failed} failed ${JSON.stringify(reasons)}`)
  console.log(`${failed === 0 ? 'holds         ' : 'DOES NOT HOLD '} no request fails`)
  return failed
}

async function startProxy ({ folder, start }: Processes, nginx: string, port: number, ports: number[]): Promise<void> {
  const config = join(folder, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder}/${name};`).join(' ')
  writeFileSync(config, `
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off;
  ${temporary}
  upstream gateway { ${ports.map(each => `server 127.0.0.1:${each} max_fails=0;`).join(' ')} keepalive 32; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://gateway;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_next_upstream error timeout http_503 non_idempotent;
    }
  }
}
`)
  const child = start(nginx, ['-p', folder, '-e', 'stderr', '-c', config])
  await answering(`http://127.0.0.1:${port}/health/ready`, child)
}

/** Sends nine lists and one event in turn, at a fixed rate, however long answers take. */
function startLoad (port: number, rate: number): { stop: () => Promise<{ answered: number, failed: number, reasons: Record<string, number> }> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 512 })
  const reasons: Record<string, number> = {}
  const underWay = new Set<Promise<void>>()
  let [sent, answered, failed] = [0, 0, 0]
  const send = async (i: number): Promise<void> => new Promise(resolve => {
    const isEvent = i % 10 === 9
    const note = (outcome: string): void => {
      if (outcome === '200') answered++
      else failed++
      if (outcome !== '200') reasons[outcome] = (reasons[outcome] ?? 0) + 1
      resolve()
    }
    const path = isEvent ? '/events/shop' : `/recommend-items/shop/home/user-${i % 500}`
    const sending = request({ host: '127.0.0.1', port, agent, path, method: isEvent ? 'POST' : 'GET', headers: isEvent ? { 'content-type': 'application/json' } : {} }, response => {
      let body = ''
      response.on('data', (chunk: Buffer) => { body += chunk.toString() })
      response.on('end', () => { note(response.statusCode === 200 ? '200' : `${response.statusCode} ${/"code":"(\w+)"/.exec(body)?.[1] ?? ''}`) })
    })
    sending.on('error', (error: NodeJS.ErrnoException) => { note(error.code ?? error.message) })
    sending.end(isEvent ? JSON.stringify({ userId: `user-${i % 500}`, sessionId: `s-${i % 500}`, eventList: [{ eventType: 'view', itemId: `item-${i % 50}` }] }) : undefined)
  })
  const began = performance.now()
  const timer = setInterval(() => {
    const due = Math.floor((performance.now() - began) / 1000 * rate)
    while (sent < due) {
      const sending = send(sent++)
      underWay.add(sending)
      void sending.finally(() => { underWay.delete(sending) })
    }
  }, 5)
  return {
    async stop () {
      clearInterval(timer)
      await Promise.all(underWay)
      agent.destroy()
      return { answered, failed, reasons }
    }
  }
}
